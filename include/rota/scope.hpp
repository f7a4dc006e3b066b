// Stretches of a task's work that have a time or a shield, and groups of tasks
// that end together.

#ifndef ROTA_SCOPE_HPP
#define ROTA_SCOPE_HPP

#include "loop.hpp"

#include <algorithm>

namespace rota {

/// A scope of the task that runs, left at the end of the block: see
/// rota_task_enter_scope(). When its time is over the task is asked to end what
/// it does in here, which arrives as rota::cancelled. timeout() makes
/// ROTA_ERR_TIMEOUT of that; with a bare scope leave() says what it was.
class scope {
  public:
    explicit scope(std::chrono::nanoseconds time = forever, uint32_t flags = 0) {
        const uint64_t limit = detail::ns(time);
        const auto now = static_cast<uint64_t>(loop_ref::current().now().count());
        const uint64_t deadline = limit > ROTA_FOREVER - now ? ROTA_FOREVER : now + limit;
        detail::check(rota_task_enter_scope(this_task::get(), deadline, flags, &scope_));
    }
    scope(const scope &) = delete;
    scope &operator=(const scope &) = delete;
    ~scope() { (void)leave(0); }

    rota_scope get() const noexcept { return scope_; }
    /// Leaves it now. What to go on with: ROTA_ERR_TIMEOUT for
    /// ROTA_ERR_CANCELLED that its deadline brought, `result` otherwise.
    int64_t leave(int64_t result) noexcept {
        return rota_scope_leave(std::exchange(scope_, rota_scope{}), result);
    }
    std::error_code cancel(const char *reason = nullptr) const noexcept {
        return code_of(rota_scope_cancel(scope_, reason));
    }
    /// From any thread, without a reason. Thread-safe.
    std::error_code post_cancel() const noexcept { return code_of(rota_scope_post_cancel(scope_)); }
    /// On the loop's clock.
    std::error_code set_deadline(std::chrono::nanoseconds moment) const noexcept {
        return code_of(rota_scope_set_deadline(scope_, detail::ns(moment)));
    }
    bool is_open() const noexcept {
        uint32_t state = ROTA_SCOPE_CANCELLED;
        (void)rota_scope_get_state(scope_, &state);
        return state == ROTA_SCOPE_OPEN;
    }

  private:
    rota_scope scope_{};
};

namespace detail {

template <class T>
struct is_result : std::false_type {};
template <class T>
struct is_result<result<T>> : std::true_type {};

/// Does `work` inside a scope. The function is kept in this coroutine.
template <class F>
task<task_value<F>> in_scope(std::chrono::nanoseconds time, uint32_t flags, F work) {
    using T = task_value<F>;
    scope limit(time, flags);
#if ROTA_EXCEPTIONS
    try {
#endif
        if constexpr (is_result<T>::value) {
            T came = co_await work();
            const int64_t left = limit.leave(came.status());
            if (left < 0 && left != came.status()) came = T::failed(static_cast<int32_t>(left));
            co_return came;
        } else {
            co_return co_await work();
        }
#if ROTA_EXCEPTIONS
    } catch (const cancelled &) {
        if (limit.leave(ROTA_ERR_CANCELLED) == ROTA_ERR_TIMEOUT) throw error(ROTA_ERR_TIMEOUT);
        throw;
    }
#endif
}

}  // namespace detail

/// `co_await timeout(5s, [&]() -> rota::task<T> {...})`: what is done in there
/// is asked to end when the time is over, and the await throws a rota::error
/// with ROTA_ERR_TIMEOUT (or gives it, where the work results in a
/// rota::result). Timeouts nest, each is told from the others and from a
/// request to the task itself. The function is kept until the end.
template <detail::makes_task F>
auto timeout(std::chrono::nanoseconds time, F work) {
    return detail::in_scope(time, 0, std::move(work));
}

/// `co_await shield([&]() -> rota::task<T> {...})`: requests to end wait until
/// it is over.
template <detail::makes_task F>
auto shield(F work) {
    return detail::in_scope(forever, ROTA_SCOPE_SHIELD, std::move(work));
}

/// Tasks and operations that end together: see rota_loop_open_group(). Most
/// simply used through with_group().
class group : public owned<rota_group, rota_group_close> {
  public:
    using owned::owned;
    explicit group(loop_ref loop, const rota_group_options *options = nullptr)
        : failure_(std::make_shared<detail::group_failure>()) {
        detail::check(rota_loop_open_group(loop, options, out()));
    }

    /// Runs a coroutine, or what a function makes, as a member. The handle may
    /// be dropped, or joined for its result, also after the group has ended.
    /// A member that throws fails the group.
    template <detail::makes_task F>
    auto spawn(F function, const char *name = nullptr) const {
        const rota_group into = get();
        auto start = [into](auto... arguments) {
            return rota_group_spawn_stepped(into, arguments...);
        };
        return detail::spawn_with(std::move(function), name, start, failure_);
    }
    template <class T>
    join_handle<T> spawn(task<T> body, const char *name = nullptr) const {
        return spawn(detail::give<T>{std::move(body)}, name);
    }
    /// Makes an operation a member.
    template <class T>
    std::error_code add(future<T> operation) const noexcept {
        const rota_status status = rota_group_add(get(), operation.get());
        if (status == ROTA_OK) (void)operation.disown();
        return code_of(status);
    }
    /// Until no member is left: how many succeeded, or the first failure.
    future<int64_t> wait() const noexcept { return future<int64_t>(rota_group_wait(get())); }
    std::error_code cancel(const char *reason = nullptr) const noexcept {
        return code_of(rota_group_cancel(get(), reason));
    }
    /// From any thread, without a reason. Thread-safe.
    std::error_code post_cancel() const noexcept { return code_of(rota_group_post_cancel(get())); }
    /// Members that have not ended.
    size_t count() const noexcept {
        size_t count = 0;
        (void)rota_group_get_count(get(), &count);
        return count;
    }
    /// Members that failed; rota_group_get_error() has each.
    size_t error_count() const noexcept {
        size_t count = 0;
        (void)rota_group_get_error_count(get(), &count);
        return count;
    }
    /// What the first member threw that threw, if `status` is what became of
    /// that; it is taken with this.
    std::exception_ptr take_exception(int32_t status) const noexcept {
        if (!failure_ || failure_->status != status) return nullptr;
        return std::exchange(failure_->first, nullptr);
    }

  private:
    std::shared_ptr<detail::group_failure> failure_;
};

namespace detail {

template <class F>
using group_value = typename is_task<std::invoke_result_t<F &, group &>>::made;

inline rota_group_options group_options_with(std::chrono::nanoseconds time) noexcept {
    rota_group_options options;
    (void)rota_group_options_init(&options, sizeof options);
    options.timeout_ns = time == forever ? 0 : std::max<uint64_t>(ns(time), 1);
    return options;
}

/// Waits until no member is left: they may use what this coroutine has. A wait
/// that could not even start (there was no memory) is tried again.
inline task<result<int64_t>> end_of_group(group &members) {
    for (;;) {
        result<int64_t> came = co_await as_result(members.wait());
        if (members.count() == 0) co_return came;
    }
}

#if ROTA_EXCEPTIONS
/// How a group of with_group() ended: throws what it failed with.
inline void settle_group(group &members, const result<int64_t> &came, std::exception_ptr thrown,
                         bool asked) {
    // The body was asked to end because of the group, or failed itself.
    if (thrown && !(asked && !came.ok() && came.status() != ROTA_ERR_CANCELLED))
        std::rethrow_exception(thrown);
    if (came.ok()) return;
    if (auto first = members.take_exception(came.status())) std::rethrow_exception(first);
    rota_outcome outcome = outcome_of(came.status());
    outcome.message = came.message();
    raise(outcome);
}

template <class F>
task<group_value<F>> run_group(std::chrono::nanoseconds time, F work) {
    using T = group_value<F>;
    const rota_group_options options = group_options_with(time);
    group members(loop_ref::current(), &options);
    std::exception_ptr thrown;
    std::optional<stored_t<T>> value;
    bool asked = false;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await work(members);
            value.emplace();
        } else {
            value.emplace(co_await work(members));
        }
    } catch (const cancelled &) {
        thrown = std::current_exception();
        asked = true;
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown) (void)members.cancel();
    const result<int64_t> came = co_await end_of_group(members);
    settle_group(members, came, thrown, asked);
    if constexpr (!std::is_void_v<T>) co_return unstore<T>(std::move(*value));
}
#else
template <class F>
task<result<group_value<F>>> run_group(std::chrono::nanoseconds time, F work) {
    using T = group_value<F>;
    const rota_group_options options = group_options_with(time);
    group members(loop_ref::current(), &options);
    std::optional<stored_t<T>> value;
    if constexpr (std::is_void_v<T>) {
        co_await work(members);
        value.emplace();
    } else {
        value.emplace(co_await work(members));
    }
    const result<int64_t> came = co_await end_of_group(members);
    if (!came) co_return result<T>::failed(came.status());
    co_return result<T>(std::move(*value));
}
#endif

}  // namespace detail

/// `co_await with_group([&](rota::group &group) -> rota::task<T> {...})`: ends
/// when the work in there and every member of the group has ended, so that
/// members may use what lives around it. If one fails, the work and the other
/// members are asked to end, and the await throws the first failure: what the
/// member threw. If the work throws, the members are asked to end, and that is
/// thrown.
template <class F>
    requires std::invocable<F &, group &>
auto with_group(F work) {
    return detail::run_group(forever, std::move(work));
}

/// The same with a time for all of it: ROTA_ERR_TIMEOUT.
template <class F>
    requires std::invocable<F &, group &>
auto with_group(std::chrono::nanoseconds time, F work) {
    return detail::run_group(time, std::move(work));
}

}  // namespace rota

#endif  // ROTA_SCOPE_HPP
