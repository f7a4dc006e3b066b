// Connections from coroutines: an echo, lines, buffers of every kind, and dropping what is pending.
#include "rota_test.hpp"

namespace {

rota::task<void> echo(rota::stream conn) {
    std::array<char, 16> buf;
    while (auto n = co_await conn.read(buf)) co_await conn.write(buf, n);
    record("end");
}

std::string port_of(const rota::listener &listener) {
    return std::to_string(listener.address().value().port);
}

TEST(an_echo_comes_back) {
    rota::loop loop;
    rota::listener listener(loop, "127.0.0.1", 0);
    auto server = loop.spawn([&]() -> rota::task<void> {
        for (;;) rota::spawn(echo(co_await listener.accept())).detach();
    });
    loop.run_until([&]() -> rota::task<void> {
        auto conn = co_await rota::connect("127.0.0.1", port_of(listener).c_str());
        CHECK(!conn.set_no_delay(true));
        CHECK(rota::to_string(conn.peer_address().value()) == "127.0.0.1:" + port_of(listener));
        CHECK(conn.local_address().ok());
        char line[64];
        std::vector<std::byte> bytes(3);
        std::string text = "text\n";
        CHECK_EQ(co_await conn.write("hello\n"), 6);
        CHECK_EQ(co_await conn.write(text), 5);
        CHECK_EQ(co_await conn.write(std::string_view("views")), 5);
        CHECK_EQ(co_await conn.write(std::span<const std::byte>(bytes)), 3);
        CHECK_EQ(co_await conn.write(text.data(), 2), 2);
        const rota_buffer two[] = {{"ab", 2}, {"c", 1}};
        CHECK_EQ(co_await conn.write_vectored(two), 3);
        CHECK(!conn.send("|rest"));
        co_await conn.drain();
        CHECK_EQ(co_await conn.read_line(line), 6);
        CHECK_EQ(co_await conn.read_line(std::span(line)), 5);
        CHECK(std::string_view(line, 5) == text);
        CHECK_EQ(co_await conn.read_exactly(rota::buffer(line, 5)), 5);
        CHECK(std::string_view(line, 5) == "views");
        CHECK_EQ(co_await conn.read_exactly(bytes), 3);
        CHECK_EQ(co_await conn.read_until(line, "|"), 6);
        CHECK(std::string_view(line, 6) == "teabc|");
        co_await conn.shutdown();
        auto rest = co_await rota::as_result(conn.read_exactly(line));
        CHECK(rest.error() == ROTA_ERR_EOF && rest.moved_bytes() == 4);
        CHECK(!conn.abort() && !conn);
        CHECK(conn.peer_address().error() == ROTA_ERR_HANDLE);
    });
    (void)server.cancel();
    TURN_UNTIL(loop, stats_of(loop).tasks == 1);
    CHECK_RECORD("end");
    (void)listener.close();
    CHECK_STATUS(WAIT(loop, rota_task_join(server.get())), ROTA_ERR_CANCELLED);
    close_clean(loop.disown());
}

TEST(a_refused_connection_throws) {
    rota::loop loop;
    std::string port;
    {
        rota::listener listener(loop, "127.0.0.1", 0);
        port = port_of(listener);
    }
    auto status = loop.run_until([&]() -> rota::task<int> {
        try {
            auto conn = co_await loop.connect("127.0.0.1", port.c_str());
        } catch (const rota::error &it) {
            CHECK(it.code() == std::errc::connection_refused && it.os_error() != 0);
            co_return it.status();
        }
        co_return 0;
    });
    CHECK_STATUS(status, ROTA_ERR_REFUSED);
    close_clean(loop.disown());
}

TEST(names_have_addresses) {
    rota::loop loop;
    auto found = loop.run_until([&]() -> rota::task<std::vector<rota_address>> {
        co_return co_await loop.resolve("127.0.0.1", "80");
    });
    CHECK_EQ(found.size(), 1);
    CHECK(rota::to_string(found[0]) == "127.0.0.1:80");
    close_clean(loop.disown());
}

TEST(a_connection_that_nobody_takes_is_closed) {
    rota::loop loop;
    rota::listener listener(loop, "127.0.0.1", 0);
    {
        auto connecting = loop.connect("127.0.0.1", port_of(listener).c_str());
        auto accepting = listener.accept();
        TURN_UNTIL(loop, connecting.is_done() && accepting.is_done());
        CHECK_EQ(stats_of(loop).streams, 2);
    }
    CHECK_EQ(stats_of(loop).streams, 0);
    (void)listener.close();
    close_clean(loop.disown());
}

using dropped = rota::detail::root<void, std::function<rota::task<void>()>>;

int64_t ends_early(rota_task task, const rota_outcome *outcome, void *user_data) {
    CHECK(dropped::step(task, outcome, user_data) == ROTA_STEP_WAIT);
    return 0;
}

TEST(a_pending_read_ends_before_its_buffer_does) {
    rota::loop loop;
    rota::listener listener(loop, "127.0.0.1", 0);
    auto connecting = loop.connect("127.0.0.1", port_of(listener).c_str());
    auto ends = loop.run_until([&]() -> rota::task<std::pair<rota::stream, rota::stream>> {
        auto one = co_await std::move(connecting);
        co_return {std::move(one), co_await listener.accept()};
    });
    auto *root = new dropped([&]() -> rota::task<void> {
        std::vector<char> room(100); // freed with the frame: the read must have gone by then
        (void)co_await ends.first.read(room);
        record("never");
    });
    root->holders = 1;
    rota_task_options options;
    CHECK_STATUS(rota_task_options_init(&options, sizeof options), ROTA_OK);
    options.user_data_free = dropped::drop;
    CHECK_STATUS(rota_loop_spawn_stepped(loop, ends_early, root, &options, nullptr), ROTA_OK);
    turns(loop, 2);
    CHECK(!ends.second.send("too late"));
    turns(loop, 20);
    auto text = loop.run_until([&]() -> rota::task<std::string> {
        std::array<char, 8> room;
        co_await ends.first.read_exactly(room); // nothing was lost
        co_return std::string(room.data(), room.size());
    });
    CHECK(text == "too late");
    CHECK_RECORD("");
    (void)ends.first.close(), (void)ends.second.close(), (void)listener.close();
    close_clean(loop.disown());
}

}  // namespace

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(an_echo_comes_back);
    RUN(a_refused_connection_throws);
    RUN(names_have_addresses);
    RUN(a_connection_that_nobody_takes_is_closed);
    RUN(a_pending_read_ends_before_its_buffer_does);
    return test_end();
}
