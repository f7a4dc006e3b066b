// The two commands of a contestant, and what it measures: see ../c/rota_bench.c.
#include "peer.hpp"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {
std::uint64_t allocations;
struct {
    std::uint64_t began_ns, spent_ns, allocations_before, allocations, bytes;
    bool measured, right = true;
} figures;

std::uint64_t cpu_ns() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::uint64_t(now.tv_sec) * 1000000000u + std::uint64_t(now.tv_nsec);
}
} // namespace

extern "C" {
void *__libc_malloc(std::size_t size);
void *__libc_calloc(std::size_t count, std::size_t size);
void *__libc_realloc(void *block, std::size_t size);

void *malloc(std::size_t size) {
    allocations++;
    return __libc_malloc(size);
}

void *calloc(std::size_t count, std::size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *block, std::size_t size) {
    allocations++;
    return __libc_realloc(block, size);
}

void *mmap(void *address, std::size_t size, int protection, int flags, int descriptor,
           off_t offset) {
    allocations++;
    return reinterpret_cast<void *>(
        syscall(SYS_mmap, address, size, protection, flags, descriptor, offset));
}
}

void bench_begin() {
    figures.allocations_before = allocations;
    figures.began_ns = cpu_ns();
}

void bench_end() {
    figures.spent_ns += cpu_ns() - figures.began_ns;
    figures.allocations += allocations - figures.allocations_before;
    figures.measured = true;
}

std::uint64_t bench_resident_bytes() {
    unsigned long long size = 0, resident = 0;
    std::FILE *file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr || std::fscanf(file, "%llu %llu", &size, &resident) != 2) std::abort();
    std::fclose(file);
    return resident * std::uint64_t(sysconf(_SC_PAGESIZE));
}

void bench_memory(std::uint64_t bytes) { figures.bytes = bytes; }

void bench_check_at(bool right, const char *what, const char *file, int line) {
    if (right) return;
    std::fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    figures.right = false;
}

int main(int argc, char **argv) {
    if (argc == 2 && std::strcmp(argv[1], "list") == 0) {
        for (const bench_entry *entry = bench_entries; entry->work != nullptr; entry++) {
            std::printf("%s %s %" PRIu64 "\n", entry->work, entry->contestant, entry->operations);
        }
        return 0;
    }
    for (const bench_entry *entry = bench_entries; argc == 5 && entry->work != nullptr; entry++) {
        if (std::strcmp(argv[2], entry->work) != 0) continue;
        if (std::strcmp(argv[3], entry->contestant) != 0) continue;
        const std::uint64_t operations = std::strtoull(argv[4], nullptr, 10);
        entry->run(operations);
        const double count = double(operations);
        const bool checked = figures.right && figures.measured;
        std::printf("{\"work\": \"%s\", \"contestant\": \"%s\", \"ns_per_op\": %.3f, "
                    "\"allocations_per_op\": %g, \"bytes_per_op\": %.1f, \"checked\": %s}\n",
                    entry->work, entry->contestant, double(figures.spent_ns) / count,
                    double(figures.allocations) / count, double(figures.bytes) / count,
                    checked ? "true" : "false");
        return checked ? 0 : 1;
    }
    std::fprintf(stderr, "usage: %s list | once WORK CONTESTANT OPERATIONS\n", argv[0]);
    return 2;
}
