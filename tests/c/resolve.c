/* Names: numeric ones at once, others on a thread, cancellable, and nonsense refused. */
#include "rota_peer.h"

static size_t take_addresses(rota_future future, rota_address *buffer, size_t capacity) {
    size_t count = 0;
    CHECK_STATUS(rota_future_take_addresses(future, buffer, capacity, &count), ROTA_OK);
    (void)rota_future_close(future); /* it may have ended with the taking */
    return count;
}

static bool is_loopback(const rota_address *address) {
    static const uint8_t six[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return address->family == ROTA_FAMILY_IPV4 ? address->bytes[0] == 127
                                               : memcmp(address->bytes, six, 16) == 0;
}

TEST(numeric_addresses_need_no_thread) {
    rota_loop_options options = loop_options(ROTA_CLOCK_SYSTEM);
    rota_loop loop;
    rota_address addresses[4];
    rota_future future;
    size_t threads = running_threads();
    options.flags = ROTA_LOOP_NO_THREADS;
    loop = open_with(&options);
    future = rota_loop_resolve(loop, "127.0.0.1", "80", NULL);
    CHECK_EQ(WAIT(loop, future), 1);
    CHECK_EQ(take_addresses(future, addresses, 4), 1);
    CHECK_EQ(addresses[0].port, 80);
    CHECK(is_loopback(&addresses[0]));
    future = rota_loop_resolve(loop, "::1", "65535", NULL);
    CHECK_EQ(WAIT(loop, future), 1);
    CHECK_EQ(take_addresses(future, addresses, 4), 1);
    CHECK_EQ(addresses[0].family, ROTA_FAMILY_IPV6);
    CHECK_EQ(addresses[0].port, 65535);
    CHECK_EQ(running_threads(), threads);
    CHECK_STATUS(WAIT(loop, rota_loop_resolve(loop, "some.name.invalid", "80", NULL)),
                 ROTA_ERR_NO_THREADS);
    close_clean(loop);
}

TEST(localhost_is_this_machine) {
    rota_loop loop = open_system();
    rota_address addresses[16];
    rota_future future = rota_loop_resolve(loop, "localhost", "8080", NULL);
    int64_t count = WAIT(loop, future), i;
    CHECK(count >= 1 && count <= 16);
    CHECK_EQ(take_addresses(future, addresses, 16), count);
    for (i = 0; i < count; i++) {
        CHECK(is_loopback(&addresses[i]));
        CHECK_EQ(addresses[i].port, 8080);
    }
    close_clean(loop);
}

TEST(a_family_can_be_asked_for) {
    rota_loop loop = open_system();
    rota_address addresses[16];
    rota_resolve_options options;
    rota_future future;
    int64_t count, i;
    CHECK_STATUS(rota_resolve_options_init(&options, sizeof options), ROTA_OK);
    options.family = ROTA_FAMILY_IPV4;
    future = rota_loop_resolve(loop, "localhost", "1", &options);
    count = WAIT(loop, future);
    CHECK(count >= 1);
    CHECK_EQ(take_addresses(future, addresses, 16), count);
    for (i = 0; i < count; i++) CHECK_EQ(addresses[i].family, ROTA_FAMILY_IPV4);
    options.family = ROTA_FAMILY_IPV6;
    CHECK(WAIT(loop, rota_loop_resolve(loop, "127.0.0.1", "1", &options)) < 0);
    options.family = 7;
    CHECK_STATUS(WAIT(loop, rota_loop_resolve(loop, "::1", "1", &options)), ROTA_ERR_INVALID);
    options.family = 0;
    options.flags = 1u << 27;
    CHECK_STATUS(WAIT(loop, rota_loop_resolve(loop, "::1", "1", &options)), ROTA_ERR_INVALID);
    close_clean(loop);
}

/* Without a name service it cannot be known that there is no such host. */
TEST(an_unknown_name_is_not_found) {
    rota_loop loop = open_system();
    CHECK_EITHER(WAIT(loop, rota_loop_resolve(loop, "no-such-host.invalid", "80", NULL)),
                 ROTA_ERR_NOT_FOUND, ROTA_ERR_RESOLVE);
    close_clean(loop);
}

static void check_refused(rota_loop loop, const char *host, const char *service) {
    int64_t result = WAIT(loop, rota_loop_resolve(loop, host, service, NULL));
    if (result != ROTA_ERR_INVALID && result != ROTA_ERR_ADDRESS && result != ROTA_ERR_LIMIT &&
        result != ROTA_ERR_NOT_FOUND) {
        test_fail(__FILE__, __LINE__, "%s is no answer to a bad name", status_name(result));
    }
}

TEST(nonsense_is_refused) {
    rota_loop loop = open_system();
    char long_name[2000];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    check_refused(loop, long_name, "80");
    check_refused(loop, "127.0.0.1", long_name);
    check_refused(loop, "\xff\xfe\xfd", "80");
    check_refused(loop, "\xc3", "80");
    check_refused(loop, "127.0.0.1", "\xff");
    check_refused(loop, "127.0.0.1", "65536");
    check_refused(loop, "127.0.0.1", "-1");
    check_refused(loop, "", "80");
    CHECK_STATUS(WAIT(loop, rota_loop_resolve(loop, NULL, "80", NULL)), ROTA_ERR_INVALID);
    close_clean(loop);
}

TEST(a_query_may_be_cancelled) {
    rota_loop loop = open_system();
    rota_future future = rota_loop_resolve(loop, "localhost", "80", NULL);
    rota_status status = rota_future_cancel(future);
    CHECK_EITHER(status, ROTA_OK, ROTA_ERR_DONE);
    if (status == ROTA_OK) {
        CHECK_STATUS(WAIT(loop, future), ROTA_ERR_CANCELLED);
    } else {
        CHECK_STATUS(rota_future_close(future), ROTA_OK);
    }
    future = rota_loop_resolve(loop, "localhost", "80", NULL);
    CHECK_EITHER(rota_future_close(future), ROTA_OK, ROTA_ERR_BUSY);
    close_clean(loop);
}

TEST(addresses_not_taken_are_let_go) {
    rota_loop loop = open_system();
    rota_address address;
    size_t count = 0;
    rota_future future = rota_loop_resolve(loop, "127.0.0.1", "80", NULL);
    CHECK_EQ(WAIT(loop, future), 1);
    CHECK_STATUS(rota_future_close(future), ROTA_OK);
    CHECK_STATUS(rota_future_take_addresses(future, &address, 1, &count), ROTA_ERR_HANDLE);
    future = rota_loop_resolve(loop, "127.0.0.1", "80", NULL);
    CHECK_EQ(WAIT(loop, future), 1);
    CHECK_STATUS(rota_future_take_addresses(future, NULL, 1, &count), ROTA_ERR_INVALID);
    CHECK_STATUS(rota_future_take_addresses(future, &address, 1, &count), ROTA_OK);
    CHECK_EQ(count, 1);
    (void)rota_future_close(future);
    close_clean(loop);
}

TEST(connecting_to_an_unknown_name_fails_the_same_way) {
    rota_loop loop = open_system();
    CHECK_EITHER(WAIT(loop, rota_loop_connect(loop, "no-such-host.invalid", "80", NULL)),
                 ROTA_ERR_NOT_FOUND, ROTA_ERR_RESOLVE);
    close_clean(loop);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    RUN(numeric_addresses_need_no_thread);
    RUN(localhost_is_this_machine);
    RUN(a_family_can_be_asked_for);
    RUN(an_unknown_name_is_not_found);
    RUN(nonsense_is_refused);
    RUN(a_query_may_be_cancelled);
    RUN(addresses_not_taken_are_let_go);
    RUN(connecting_to_an_unknown_name_fails_the_same_way);
    return test_end();
}
