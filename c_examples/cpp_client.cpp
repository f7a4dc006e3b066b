// The client of client_stackful.c in C++20: connect, send a line, print the line that comes back.
//
//     c++ -std=c++20 cpp_client.cpp -lrota -o cpp_client
//     ./cpp_client localhost 7777 "hello" [timeout in ms]
#include <rota.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

static rota::task<std::string> exchange(const char *host, const char *port, std::string line) {
    auto conn = co_await rota::connect(host, port);
    co_await conn.write(line + "\n");
    std::array<char, 4096> answer;
    const size_t length = co_await conn.read_line(answer);
    co_return std::string(answer.data(), length);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: %s HOST PORT LINE [TIMEOUT_MS]\n", argv[0]);
        return 2;
    }
    const std::chrono::milliseconds limit(argc > 4 ? std::atoll(argv[4]) : 5000);
    try {
        rota::loop loop;
        const std::string answer = loop.run_until(
            rota::timeout(limit, [&] { return exchange(argv[1], argv[2], argv[3]); }));
        std::fwrite(answer.data(), 1, answer.size(), stdout);
    } catch (const rota::error &error) {
        std::fprintf(stderr, "client: %s\n", rota_status_name(error.status()));
        return 1;
    }
}
