/* Listening, accepting and connecting: families, ports, addresses, refusals. */
#include "rota_peer.h"

static void check_address(const rota_address *address, const char *expected_host, uint16_t port) {
    char text[64], expected[64];
    size_t length = 0;
    CHECK_EQ(address->port, port);
    CHECK_STATUS(rota_address_format(address, text, sizeof text, &length), ROTA_OK);
    snprintf(expected, sizeof expected, "%s:%u", expected_host, (unsigned)port);
    CHECK_TEXT(text, expected);
    CHECK_EQ(length, strlen(expected));
}

static void connects_over(const char *host, const char *shown, uint32_t family) {
    rota_loop loop = open_system();
    uint16_t port;
    rota_address ours, theirs;
    rota_listener listener = listen_on(loop, host, &port);
    rota_future accepted = rota_listener_accept(listener);
    rota_stream one = take_stream(loop, rota_loop_connect(loop, host, service_of(port), NULL));
    rota_stream other = take_stream(loop, accepted);
    CHECK_STATUS(rota_stream_get_peer_address(one, &theirs), ROTA_OK);
    check_address(&theirs, shown, port);
    CHECK_EQ(theirs.family, family);
    CHECK_STATUS(rota_stream_get_local_address(one, &ours), ROTA_OK);
    CHECK_STATUS(rota_stream_get_peer_address(other, &theirs), ROTA_OK);
    CHECK(memcmp(ours.bytes, theirs.bytes, 16) == 0 && ours.port == theirs.port);
    CHECK_STATUS(rota_stream_get_local_address(other, &ours), ROTA_OK);
    check_address(&ours, shown, port);
    CHECK_STATUS(rota_stream_close(one), ROTA_OK);
    CHECK_STATUS(rota_stream_close(other), ROTA_OK);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    CHECK_STATUS(rota_listener_close(listener), ROTA_ERR_HANDLE);
    close_clean(loop);
}

TEST(connections_over_ipv4) { connects_over("127.0.0.1", "127.0.0.1", ROTA_FAMILY_IPV4); }

TEST(connections_over_ipv6) {
    if (have_ipv6()) connects_over("::1", "[::1]", ROTA_FAMILY_IPV6);
}

TEST(addresses_are_read_and_written) {
    rota_address address;
    char text[64], tiny[4] = "###";
    size_t length;
    CHECK_STATUS(rota_address_parse("192.0.2.7", 80, &address), ROTA_OK);
    CHECK(memcmp(address.bytes, "\xc0\x00\x02\x07\0\0\0\0\0\0\0\0\0\0\0\0", 16) == 0);
    CHECK_STATUS(rota_address_parse("fe80::1%2", 443, &address), ROTA_OK);
    CHECK_EQ(address.scope, 2);
    CHECK_STATUS(rota_address_format(&address, text, sizeof text, &length), ROTA_OK);
    CHECK_TEXT(text, "[fe80::1%2]:443");
    (void)rota_address_format(&address, tiny, sizeof tiny, &length); /* cut or refused */
    CHECK(memchr(tiny, '\0', sizeof tiny) != NULL);
    CHECK_STATUS(rota_address_parse("localhost", 1, &address), ROTA_ERR_ADDRESS);
    CHECK_STATUS(rota_address_parse("", 1, &address), ROTA_ERR_ADDRESS);
    CHECK_STATUS(rota_address_parse("1.2.3.4.5", 1, &address), ROTA_ERR_ADDRESS);
    CHECK_EITHER(rota_address_parse("\xff\xfe", 1, &address), ROTA_ERR_ADDRESS, ROTA_ERR_INVALID);
    CHECK_STATUS(rota_address_parse(NULL, 1, &address), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_address_parse("::1", 1, NULL), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_address_format(NULL, text, sizeof text, &length), ROTA_ERR_INVALID);
    memset(&address, 0x77, sizeof address);
    CHECK(rota_address_format(&address, text, sizeof text, &length) != ROTA_OK);
}

/* ---- listening */

TEST(null_listens_to_both_families_on_one_port) {
    rota_loop loop = open_system();
    uint16_t port;
    rota_listener listener = listen_on(loop, NULL, &port);
    rota_stream stream;
    int raw = raw_connect_family(4, port);
    CHECK(raw >= 0);
    stream = take_stream(loop, rota_listener_accept(listener));
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
    close(raw);
    if (have_ipv6()) {
        raw = raw_connect_family(6, port);
        CHECK(raw >= 0);
        stream = take_stream(loop, rota_listener_accept(listener));
        CHECK_STATUS(rota_stream_close(stream), ROTA_OK);
        close(raw);
    }
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    close_clean(loop);
}

TEST(ipv6_only_refuses_ipv4) {
    rota_loop loop = open_system();
    rota_listen_options options;
    rota_listener listener = {0};
    rota_address address;
    if (have_ipv6()) {
        CHECK_STATUS(rota_listen_options_init(&options, sizeof options), ROTA_OK);
        options.flags = ROTA_LISTEN_IPV6_ONLY;
        options.backlog = 4;
        CHECK_STATUS(rota_loop_listen(loop, "::", 0, &options, &listener), ROTA_OK);
        CHECK_STATUS(rota_listener_get_address(listener, &address), ROTA_OK);
        CHECK_EQ(raw_connect_family(4, address.port), -1);
        CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    }
    close_clean(loop);
}

TEST(a_port_in_use_is_refused_unless_it_is_shared) {
    rota_loop loop = open_system();
    rota_listen_options options;
    rota_listener one = {0}, other = {0};
    rota_address address;
    uint16_t port;
    rota_listener alone = listen_on(loop, "127.0.0.1", &port);
    CHECK_STATUS(rota_loop_listen(loop, "127.0.0.1", port, NULL, &one), ROTA_ERR_ADDRESS_IN_USE);
    CHECK_EQ(rota_os_error(), EADDRINUSE);
    CHECK_EQ(one.id, 0);
    CHECK_STATUS(rota_listener_close(alone), ROTA_OK);
    CHECK_STATUS(rota_listen_options_init(&options, sizeof options), ROTA_OK);
    options.flags = ROTA_LISTEN_REUSE_PORT;
    CHECK_STATUS(rota_loop_listen(loop, "127.0.0.1", 0, &options, &one), ROTA_OK);
    CHECK_STATUS(rota_listener_get_address(one, &address), ROTA_OK);
    CHECK_STATUS(rota_loop_listen(loop, "127.0.0.1", address.port, &options, &other), ROTA_OK);
    CHECK_STATUS(rota_listener_close(one), ROTA_OK);
    CHECK_STATUS(rota_listener_close(other), ROTA_OK);
    close_clean(loop);
}

/* A server that is started again at once finds its port free, although old connections linger. */
TEST(a_port_can_be_listened_to_again_at_once) {
    rota_loop loop = open_system();
    uint16_t port;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    int raw = raw_connect(port);
    rota_stream stream = take_stream(loop, rota_listener_accept(listener));
    CHECK_STATUS(rota_stream_close(stream), ROTA_OK); /* the side that closes first lingers */
    CHECK_EQ(raw_drain(raw, NULL), 0);
    close(raw);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    CHECK_STATUS(rota_loop_listen(loop, "127.0.0.1", port, NULL, &listener), ROTA_OK);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    close_clean(loop);
}

TEST(bad_places_to_listen_are_refused) {
    rota_loop loop = open_system();
    rota_listen_options options;
    rota_listener listener = {13};
    CHECK_STATUS(rota_listen_options_init(&options, 2), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_listen_options_init(&options, sizeof options), ROTA_OK);
    CHECK_STATUS(rota_loop_listen(loop, "no.such.host.invalid", 0, NULL, &listener),
                 ROTA_ERR_ADDRESS);
    CHECK_STATUS(rota_loop_listen(loop, "192.0.2.1", 0, NULL, &listener), ROTA_ERR_ADDRESS);
    CHECK_EITHER(rota_loop_listen(loop, "\xff", 0, NULL, &listener), ROTA_ERR_ADDRESS,
                 ROTA_ERR_INVALID);
    options.flags = 1u << 30;
    CHECK_STATUS(rota_loop_listen(loop, NULL, 0, &options, &listener), ROTA_ERR_INVALID);
    CHECK_EQ(listener.id, 13);
    close_clean(loop);
}

/* ---- accepting */

TEST(accepts_are_served_in_order) {
    rota_loop loop = open_system();
    uint16_t port;
    char first = 0, second = 0;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    rota_future accept_one = rota_listener_accept(listener);
    rota_future accept_two = rota_listener_accept(listener);
    int raw_one = raw_connect(port), raw_two = raw_connect(port);
    rota_stream one, two;
    raw_send_text(raw_one, "1");
    raw_send_text(raw_two, "2");
    two = take_stream(loop, accept_two);
    one = take_stream(loop, accept_one);
    CHECK_EQ(WAIT(loop, rota_stream_read(one, &first, 1)), 1);
    CHECK_EQ(WAIT(loop, rota_stream_read(two, &second, 1)), 1);
    CHECK(first == '1' && second == '2');
    CHECK_STATUS(rota_stream_close(one), ROTA_OK);
    CHECK_STATUS(rota_stream_close(two), ROTA_OK);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    close(raw_one);
    close(raw_two);
    close_clean(loop);
}

TEST(closing_an_accepts_future_closes_the_untaken_stream) {
    rota_loop loop = open_system();
    uint16_t port;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    rota_future accept = rota_listener_accept(listener);
    rota_outcome outcome;
    int raw = raw_connect(port);
    TURN_UNTIL(loop, rota_future_get_outcome(accept, &outcome) == ROTA_OK);
    CHECK_STATUS(rota_future_close(accept), ROTA_OK);
    CHECK_EQ(raw_drain(raw, NULL), 0);
    close(raw);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    close_clean(loop);
}

TEST(closing_a_listener_cancels_its_accepts) {
    rota_loop loop = open_system();
    uint16_t port;
    rota_listener listener = listen_on(loop, "127.0.0.1", &port);
    rota_future accept = rota_listener_accept(listener);
    CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
    CHECK_STATUS(WAIT(loop, accept), ROTA_ERR_CANCELLED);
    CHECK_EQ(raw_connect_family(4, port), -1);
    close_clean(loop);
}

/* ---- connecting */

TEST(a_port_where_nobody_listens_refuses) {
    rota_loop loop = open_system();
    rota_future connect = rota_loop_connect(loop, "127.0.0.1", service_of(raw_free_port()), NULL);
    rota_stream stream = {21};
    rota_outcome outcome;
    CHECK_STATUS(rota_future_keep(connect), ROTA_OK);
    CHECK_STATUS(WAIT(loop, connect), ROTA_ERR_REFUSED);
    outcome = outcome_of(connect);
    CHECK_EQ(outcome.os_error, ECONNREFUSED);
    CHECK(rota_future_take_stream(connect, &stream) < 0);
    CHECK_EQ(stream.id, 21);
    CHECK_STATUS(rota_future_close(connect), ROTA_OK);
    close_clean(loop);
}

/* The name has two addresses, of which only one is listened to: the race finds it. */
TEST(localhost_is_found_on_whichever_family_it_listens) {
    uint8_t families[] = {4, 6};
    size_t i;
    for (i = 0; i < COUNT(families); i++) {
        rota_loop loop = open_system();
        uint16_t port;
        rota_listener listener;
        rota_stream one, other;
        rota_future accepted, connect;
        int64_t result;
        if (families[i] == 6 && !have_ipv6()) {
            close_clean(loop);
            continue;
        }
        listener = listen_on(loop, families[i] == 6 ? "::1" : "127.0.0.1", &port);
        accepted = rota_listener_accept(listener);
        connect = rota_loop_connect(loop, "localhost", service_of(port), NULL);
        result = WAIT(loop, connect);
        if (result == ROTA_ERR_REFUSED && families[i] == 6) { /* not in this machine's hosts */
            CHECK_STATUS(rota_future_close(accepted), ROTA_OK);
        } else {
            CHECK(result >= 0);
            CHECK_STATUS(rota_future_take_stream(connect, &one), ROTA_OK);
            other = take_stream(loop, accepted);
            CHECK_STATUS(rota_stream_close(one), ROTA_OK);
            CHECK_STATUS(rota_stream_close(other), ROTA_OK);
        }
        CHECK_STATUS(rota_listener_close(listener), ROTA_OK);
        close_clean(loop);
    }
}

TEST(bad_places_to_connect_to_are_refused) {
    rota_loop loop = open_system();
    rota_connect_options options;
    CHECK_STATUS(rota_connect_options_init(&options, sizeof options), ROTA_OK);
    CHECK_STATUS(WAIT(loop, rota_loop_connect(loop, NULL, "80", NULL)), ROTA_ERR_INVALID);
    CHECK(WAIT(loop, rota_loop_connect(loop, "127.0.0.1", "99999", NULL)) < 0);
    CHECK(WAIT(loop, rota_loop_connect(loop, "127.0.0.1", "no-such-service", NULL)) < 0);
    options.flags = 1u << 29;
    CHECK_STATUS(WAIT(loop, rota_loop_connect(loop, "127.0.0.1", "80", &options)),
                 ROTA_ERR_INVALID);
    options.flags = 0;
    options.family = 5;
    CHECK_STATUS(WAIT(loop, rota_loop_connect(loop, "127.0.0.1", "80", &options)),
                 ROTA_ERR_INVALID);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(connections_over_ipv4);
    RUN(connections_over_ipv6);
    RUN(addresses_are_read_and_written);
    RUN(null_listens_to_both_families_on_one_port);
    RUN(ipv6_only_refuses_ipv4);
    RUN(a_port_in_use_is_refused_unless_it_is_shared);
    RUN(a_port_can_be_listened_to_again_at_once);
    RUN(bad_places_to_listen_are_refused);
    RUN(accepts_are_served_in_order);
    RUN(closing_an_accepts_future_closes_the_untaken_stream);
    RUN(closing_a_listener_cancels_its_accepts);
    RUN(a_port_where_nobody_listens_refuses);
    RUN(localhost_is_found_on_whichever_family_it_listens);
    RUN(bad_places_to_connect_to_are_refused);
    return test_end();
}
