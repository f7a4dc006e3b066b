// rota::task<T>: a coroutine that may await rota's futures, and other tasks.
//
// ```text
//   the loop ──▶ step() ──▶ resumes the innermost coroutine ──▶ co_await future
//                  ▲                                                  │
//                  └── rota_task_wait(future), back to the loop ◀─────┘
// ```
//
// A task<T> is lazy: it begins when it is awaited, or when a loop runs it
// (loop.spawn()). Awaiting a task<T> runs it inside the same task of rota: the
// awaiting coroutine is its *continuation*, and all coroutines of such a chain
// share a *context*, which says who is to be resumed. A coroutine that calls,
// or ends, says so in the context and returns to step(), which resumes the
// other: the stack does not grow, however many tasks end at once in a loop, in
// whatever way the compiler was called. (Symmetric transfer promises that only
// where calls in tail position are optimised, which gcc does from -O2 on.)
//
// An await allocates nothing; a coroutine is one block of memory, its frame.

#ifndef ROTA_TASK_HPP
#define ROTA_TASK_HPP

#include "handle.hpp"

#include <concepts>
#include <coroutine>
#include <utility>
#include <variant>

namespace rota {

template <class T = void>
class task;

namespace detail {

/// What the coroutines of one task of rota share.
struct context {
    rota_task task{};
    /// Of the wait that is over.
    const rota_outcome *outcome = nullptr;
    /// Whom to resume, and whether that is due at once.
    std::coroutine_handle<> next{};
    bool at_once = false;

    void go_on_with(std::coroutine_handle<> coroutine) noexcept {
        next = coroutine;
        at_once = true;
    }

    /// Runs until somebody waits, or the outermost has ended.
    void run(rota_task now, const rota_outcome *came) {
        task = now;
        outcome = came;
        do {
            at_once = false;
            next.resume();
        } while (at_once);
    }
};

struct promise_base {
    context *shared = nullptr;
    std::coroutine_handle<> continuation{};

    struct at_end {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
            const promise_base &promise = ended.promise();
            if (promise.continuation) promise.shared->go_on_with(promise.continuation);
        }
        void await_resume() const noexcept {}
    };

    std::suspend_always initial_suspend() const noexcept { return {}; }
    at_end final_suspend() const noexcept { return {}; }
};

/// Only coroutines of rota can wait for what belongs to rota.
template <class Promise>
concept ours = std::derived_from<Promise, promise_base>;

/// Where a coroutine's result is until it is taken.
template <class T>
class place {
  public:
    bool is_empty() const noexcept { return kept_.index() == 0; }

    template <class... Arguments>
    void set(Arguments &&...arguments) {
        kept_.template emplace<1>(std::forward<Arguments>(arguments)...);
    }
    void set_exception(std::exception_ptr exception) noexcept {
        kept_.template emplace<2>(std::move(exception));
    }
    std::exception_ptr *exception() noexcept { return std::get_if<2>(&kept_); }
    stored_t<T> *value() noexcept { return std::get_if<1>(&kept_); }

    void clear() noexcept { kept_.template emplace<0>(); }

    T take() {
#if ROTA_EXCEPTIONS
        if (auto *thrown = exception()) {
            const std::exception_ptr it = std::move(*thrown);
            kept_.template emplace<0>();
            std::rethrow_exception(it);
        }
#endif
        if (!value()) raise(outcome_of(ROTA_ERR_HANDLE));
        stored_t<T> kept = std::move(*value());
        kept_.template emplace<0>();
        return unstore<T>(std::move(kept));
    }

  private:
    std::variant<std::monostate, stored_t<T>, std::exception_ptr> kept_;
};

template <class T>
struct promise : promise_base {
    place<T> kept;

    task<T> get_return_object() noexcept;
    void unhandled_exception() noexcept { kept.set_exception(std::current_exception()); }

    template <class U = T>
        requires(!std::is_reference_v<T> && std::constructible_from<T, U &&>)
    void return_value(U &&value) {
        kept.set(std::forward<U>(value));
    }
    void return_value(T value)
        requires(std::is_reference_v<T>)
    {
        kept.set(&value);
    }
};

template <>
struct promise<void> : promise_base {
    place<void> kept;

    inline task<void> get_return_object() noexcept;
    void unhandled_exception() noexcept { kept.set_exception(std::current_exception()); }
    void return_void() { kept.set(); }
};

template <class T>
struct task_awaiter {
    std::coroutine_handle<promise<T>> inner;

    bool await_ready() const noexcept { return !inner; }
    template <ours Promise>
    void await_suspend(std::coroutine_handle<Promise> outer) noexcept {
        inner.promise().shared = outer.promise().shared;
        inner.promise().continuation = outer;
        outer.promise().shared->go_on_with(inner);
    }
    T await_resume() {
        if (!inner) raise(outcome_of(ROTA_ERR_HANDLE));
        return inner.promise().kept.take();
    }
};

}  // namespace detail

/// A coroutine with a result: `co_await` it inside another one, or give it to a
/// loop. It is awaited once. Destroying it destroys the coroutine where it
/// stands: what it waits for is withdrawn, and its destructors run.
///
/// Lambdas: a coroutine refers to the lambda that it was made from, not to a
/// copy. loop.spawn(), rota::timeout() and their like keep the lambda; where
/// you call one yourself, it has to live as long as its coroutine.
template <class T>
class [[nodiscard]] task {
  public:
    using promise_type = detail::promise<T>;
    using value_type = T;

    task() noexcept = default;
    explicit task(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}
    task(task &&other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
    task &operator=(task &&other) noexcept {
        if (this != &other) {
            if (coroutine_) coroutine_.destroy();
            coroutine_ = std::exchange(other.coroutine_, {});
        }
        return *this;
    }
    ~task() {
        if (coroutine_) coroutine_.destroy();
    }

    explicit operator bool() const noexcept { return static_cast<bool>(coroutine_); }
    /// The coroutine, which stays owned: for code that drives it in another way.
    std::coroutine_handle<promise_type> get() const noexcept { return coroutine_; }

    detail::task_awaiter<T> operator co_await() && noexcept { return {coroutine_}; }
    detail::task_awaiter<T> operator co_await() & noexcept { return {coroutine_}; }

  private:
    std::coroutine_handle<promise_type> coroutine_{};
};

namespace detail {

template <class T>
task<T> promise<T>::get_return_object() noexcept {
    return task<T>(std::coroutine_handle<promise<T>>::from_promise(*this));
}

inline task<void> promise<void>::get_return_object() noexcept {
    return task<void>(std::coroutine_handle<promise<void>>::from_promise(*this));
}

template <class T>
struct is_task : std::false_type {};
template <class T>
struct is_task<task<T>> : std::true_type {
    using made = T;
};

/// What the task that a function makes results in.
template <class F>
using task_value = typename is_task<std::invoke_result_t<F &>>::made;

/// A function without parameters that makes a task.
template <class F>
concept makes_task = std::invocable<F &> && is_task<std::invoke_result_t<F &>>::value;

#if ROTA_EXCEPTIONS
template <class T>
struct task_result_awaiter : task_awaiter<T> {
    result<T> await_resume() {
        try {
            if constexpr (std::is_void_v<T>) {
                task_awaiter<T>::await_resume();
                return result<T>(nothing{});
            } else {
                return result<T>(task_awaiter<T>::await_resume());
            }
        } catch (const error &thrown) {
            rota_outcome outcome = outcome_of(thrown.status());
            outcome.os_error = thrown.os_error();
            outcome.moved_bytes = thrown.moved_bytes();
            return result<T>(outcome);
        }
    }
};

template <class T>
struct task_as_result {
    task<T> it;
    task_result_awaiter<T> operator co_await() noexcept { return {{it.get()}}; }
};
#endif

}  // namespace detail

#if ROTA_EXCEPTIONS
/// `co_await as_result(task)`: a result instead of a rota::error that is
/// thrown. Other exceptions pass.
template <class T>
detail::task_as_result<T> as_result(task<T> it) noexcept {
    return {std::move(it)};
}
#endif

}  // namespace rota

#endif  // ROTA_TASK_HPP
