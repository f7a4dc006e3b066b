// rota::loop: an event loop, what it runs, and what is asked of it.

#ifndef ROTA_LOOP_HPP
#define ROTA_LOOP_HPP

#include "spawn.hpp"

namespace rota {

class stream;
class listener;

/// A loop that somebody else owns: what may be asked of it. It converts from
/// and to rota_loop. All that stands in rota.h of the functions holds here.
class loop_ref {
  public:
    loop_ref() noexcept = default;
    loop_ref(rota_loop loop) noexcept : loop_(loop) {}

    /// The loop whose callback or task is running on this thread; null: none.
    static loop_ref current() noexcept {
        rota_loop loop{};
        (void)rota_loop_get_current(&loop);
        return loop;
    }

    rota_loop get() const noexcept { return loop_; }
    operator rota_loop() const noexcept { return loop_; }

    /// Runs until stop().
    std::error_code run() const noexcept { return code_of(rota_loop_run(loop_)); }
    /// Runs a coroutine, or what a function makes, to its end: its result.
    template <detail::makes_task F>
    auto run_until(F function) const {
        return rota::spawn(loop_, std::move(function), "main").run(loop_);
    }
    template <class T>
    detail::awaited<T> run_until(task<T> body) const {
        return rota::spawn(loop_, std::move(body), "main").run(loop_);
    }
    template <class T>
    detail::awaited<T> run_until(join_handle<T> running) const {
        return running.run(loop_);
    }
    /// One turn, which waits at most so long; see rota_loop_turn().
    std::error_code turn(std::chrono::nanoseconds wait = {}) const noexcept {
        return code_of(rota_loop_turn(loop_, detail::ns(wait), 0, 0, nullptr));
    }
    /// Thread-safe.
    std::error_code stop() const noexcept { return code_of(rota_loop_stop(loop_)); }

    /// The time on the loop's clock.
    std::chrono::nanoseconds now() const noexcept {
        uint64_t now = 0;
        (void)rota_loop_get_now(loop_, &now);
        return std::chrono::nanoseconds(static_cast<int64_t>(now));
    }
    /// Moves a virtual clock.
    std::error_code advance(std::chrono::nanoseconds by) const noexcept {
        return code_of(rota_loop_advance(loop_, detail::ns(by)));
    }

    /// Runs a coroutine, or what a function makes, as a task: rota::spawn().
    template <class Body>
    auto spawn(Body body, const char *name = nullptr) const {
        return rota::spawn(loop_, std::move(body), name);
    }

    /// Calls `callback(rota_status)`, or `callback()` if the status is ROTA_OK,
    /// in the next turn. A small lambda travels in the pointer that C carries
    /// and allocates nothing, others take a block until they were called
    /// (callback.hpp). What it throws goes to set_exception_handler().
    template <class F>
    std::error_code call_soon(F callback, rota_call *out = nullptr) const {
        return register_call(std::move(callback), [&](rota_call_fn call, void *data) {
            return rota_loop_call_soon(loop_, call, data, out);
        });
    }
    /// As call_soon(), from any thread. Thread-safe.
    template <class F>
    std::error_code post(F callback) const {
        return register_call(std::move(callback), [&](rota_call_fn call, void *data) {
            return rota_loop_post(loop_, call, data);
        });
    }
    /// Fetches the next completion of what was drained; ROTA_ERR_PENDING: none.
    /// See rota_loop_next_completion().
    std::error_code next_completion(rota_completion &out) const noexcept {
        out.size = sizeof out;
        return code_of(rota_loop_next_completion(loop_, &out));
    }
    /// Puts a completion there, from any thread. Thread-safe.
    std::error_code post_completion(void *user_data) const noexcept {
        return code_of(rota_loop_post_completion(loop_, user_data));
    }
    /// Calls `callback` once after `delay`, as call_soon() does. If it returns a
    /// std::optional of a duration, it comes again after that, until it
    /// returns none. rota::timer is the same with an owner.
    template <class F>
    std::error_code call_later(std::chrono::nanoseconds delay, F callback,
                               rota_timer *out = nullptr) const {
        using kept = detail::callback<F>;
        void *data = kept::keep(std::move(callback));
        const uint64_t wait = detail::ns(delay);
        const rota_status status = rota_loop_call_later(loop_, wait, on_timer<F>, data, out);
        if (status < 0) kept::drop(data);
        return code_of(status);
    }

    future<void> sleep(std::chrono::nanoseconds delay) const noexcept {
        return future<void>(rota_loop_sleep(loop_, detail::ns(delay)));
    }
    future<void> sleep_until(std::chrono::nanoseconds moment) const noexcept {
        return future<void>(rota_loop_sleep_until(loop_, detail::ns(moment)));
    }
    rota::promise promise() const { return rota::promise(loop_); }

    /// Calls `job`, a function without parameters that returns a number or
    /// nothing, on another thread: see rota_loop_call_blocking(). The job is
    /// kept until it has been called. What it throws becomes
    /// ROTA_ERR_EXCEPTION, and goes to set_exception_handler() on that thread.
    template <class F>
    future<int64_t> call_blocking(F job) const;

    /// Connects to a host at a service, names or numbers.
    future<stream> connect(const char *host, const char *service,
                           const rota_connect_options *options = nullptr) const noexcept;
    /// The addresses of a host, the preferred one first.
    future<std::vector<rota_address>> resolve(
        const char *host, const char *service,
        const rota_resolve_options *options = nullptr) const noexcept;

  protected:
    rota_loop loop_{};

  private:
    template <class F, class Register>
    std::error_code register_call(F callback, Register registers) const {
        using kept = detail::callback<F>;
        void *data = kept::keep(std::move(callback));
        const rota_status status = registers(on_call<F>, data);
        if (status < 0) kept::drop(data);
        return code_of(status);
    }

    template <class F>
    static auto tell(F &callback, rota_status status) {
        if constexpr (std::invocable<F &, rota_status>)
            return callback(status);
        else if constexpr (std::is_void_v<std::invoke_result_t<F &>>)
            return status == ROTA_OK ? callback() : void();
        else
            return status == ROTA_OK ? callback() : std::invoke_result_t<F &>{};
    }
    template <class F>
    static void on_call(rota_loop, rota_status status, void *data) noexcept {
        detail::callback<F>::call_once(data, [=](F &callback) { (void)tell(callback, status); });
    }
    template <class F>
    static void on_timer(rota_timer timer, rota_status status, void *data) noexcept {
        using kept = detail::callback<F>;
        bool again = false;
        kept::call(data, [&](F &callback) {
            if constexpr (std::is_void_v<decltype(tell(callback, status))>) {
                tell(callback, status);
            } else {
                const std::optional<std::chrono::nanoseconds> delay = tell(callback, status);
                if (delay && status == ROTA_OK)
                    again = rota_timer_rearm(timer, detail::ns(*delay)) == ROTA_OK;
            }
        });
        if (!again) kept::drop(data);
    }
};

/// An event loop that is closed in the end. It belongs to the thread that made
/// it. Where options are given, rota_loop_options_init() has prepared them.
class loop : public loop_ref {
  public:
    explicit loop(const rota_loop_options *options = nullptr) {
        detail::check(rota_loop_open(options, &loop_));
    }
    explicit loop(const rota_loop_options &options) : loop(&options) {}
    /// Owns a loop that was opened in C.
    explicit loop(rota_loop opened) noexcept : loop_ref(opened) {}
    loop(loop &&other) noexcept : loop_ref(other.disown()) {}
    loop &operator=(loop &&other) noexcept {
        if (this != &other) {
            (void)close();
            loop_ = other.disown();
        }
        return *this;
    }
    /// Closes it without a limit: a task that refuses to end keeps this waiting.
    ~loop() { (void)close(); }

    /// Asks every task to end and runs turns until they have. See
    /// rota_loop_close(): after ROTA_ERR_BUSY it is still there.
    std::error_code close(std::chrono::nanoseconds limit = forever) noexcept {
        if (loop_.id == 0) return {};
        const rota_status status = rota_loop_close(loop_, detail::ns(limit));
        if (status != ROTA_ERR_BUSY) loop_ = {};
        return code_of(status);
    }
    /// Gives it up, and leaks what has not ended.
    std::error_code abandon() noexcept { return code_of(rota_loop_abandon(disown())); }
    [[nodiscard]] rota_loop disown() noexcept { return std::exchange(loop_, rota_loop{}); }
    explicit operator bool() const noexcept { return loop_.id != 0; }
};

namespace detail {

struct close_timer {
    rota_status operator()(rota_timer timer) const noexcept { return rota_timer_cancel(timer); }
};

template <class F>
struct blocking_job {
    static int64_t run(void *data) noexcept {
        int64_t answer = ROTA_ERR_EXCEPTION;
        callback<F>::call_once(data, [&](F &job) {
            if constexpr (std::is_void_v<std::invoke_result_t<F &>>)
                job(), answer = 0;
            else
                answer = static_cast<int64_t>(job());
        });
        return answer;
    }
};

}  // namespace detail

/// A timer that is cancelled when it is dropped: its callback then comes with
/// ROTA_ERR_CANCELLED, if it wants to be told. disown() lets it go on.
class timer : public owned<rota_timer, detail::close_timer{}> {
  public:
    using owned::owned;
    template <class F>
    timer(loop_ref loop, std::chrono::nanoseconds delay, F callback) {
        const std::error_code code = loop.call_later(delay, std::move(callback), out());
        detail::check(code.value());
    }
    std::error_code rearm(std::chrono::nanoseconds delay) noexcept {
        return code_of(rota_timer_rearm(get(), detail::ns(delay)));
    }
};

template <class F>
future<int64_t> loop_ref::call_blocking(F job) const {
    void *data = detail::callback<F>::keep(std::move(job));
    const rota_future started = rota_loop_call_blocking(loop_, detail::blocking_job<F>::run, data);
    return future<int64_t>(started);
}

/// The same for the loop that runs here.
inline future<void> sleep(std::chrono::nanoseconds delay) noexcept {
    return loop_ref::current().sleep(delay);
}
template <class Body>
auto spawn(Body body, const char *name = nullptr) {
    return rota::spawn(loop_ref::current().get(), std::move(body), name);
}

}  // namespace rota

#endif  // ROTA_LOOP_HPP
