// What the peers in C++ share: the same two commands as rota_bench, the clock,
// and the count of allocations.
#pragma once

#include <cstddef>
#include <cstdint>

struct bench_entry {
    const char *work;
    const char *contestant;
    std::uint64_t operations;
    void (*run)(std::uint64_t operations);
};

// What this program can do; a null work ends it.
extern const bench_entry bench_entries[];

// Between these two the CPU time and the allocations count.
void bench_begin();
void bench_end();

// The resident memory of this process, and how much of it was measured.
std::uint64_t bench_resident_bytes();
void bench_memory(std::uint64_t bytes);

void bench_check_at(bool right, const char *what, const char *file, int line);
#define bench_check(condition) bench_check_at((condition), #condition, __FILE__, __LINE__)

// How many operations go before the measured ones.
constexpr std::uint64_t WARM_UP = 2000;
constexpr std::uint64_t MANY = 1000;
constexpr int PARTIES = 10;
constexpr std::size_t CAPACITY = 16;
