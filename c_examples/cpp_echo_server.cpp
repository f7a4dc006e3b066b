// An echo server in C++20: a coroutine for each connection. Ctrl-C ends it.
//
//     c++ -std=c++20 cpp_echo_server.cpp -lrota -lpthread -o cpp_echo_server
//     ./cpp_echo_server [--port PORT]
//
// Compare with echo_server.c, whose tasks have stacks of their own.
#include <rota.hpp>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

static rota::task<void> echo(rota::stream conn) {
    std::array<char, 16384> buf;
    while (auto n = co_await conn.read(buf)) co_await conn.write(buf, n);
}

static rota::task<void> serve(const rota::listener &listener) {
    // A connection that fails is its own affair: what it throws reaches the log of the loop.
    for (;;) rota::spawn(echo(co_await listener.accept()), "echo").detach();
}

int main(int argc, char **argv) {
    const bool given = argc == 3 && std::string_view(argv[1]) == "--port";
    const int port = given ? std::atoi(argv[2]) : 0;
    // Almost nothing may be done in a signal handler. So there is none: the signals are blocked,
    // and a thread waits for them; stopping the loop is thread-safe.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    try {
        rota::loop loop;
        const rota::listener listener(loop, "127.0.0.1", static_cast<uint16_t>(port));
        std::printf("listening on %s\n", rota::to_string(listener.address().value()).c_str());
        std::fflush(stdout);
        loop.spawn(serve(listener), "server").detach();
        std::thread waits([&] {
            int number = 0;
            sigwait(&signals, &number);
            loop.stop();
        });
        const std::error_code ended = loop.run();
        waits.join();
        // Closing asks every task to end: their coroutines unwind.
        return ended || loop.close() ? 1 : 0;
    } catch (const rota::error &error) {
        std::fprintf(stderr, "cannot listen: %s\n", error.what());
        return 1;
    }
}
