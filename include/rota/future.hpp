// rota::future<T>: what an operation will come to, to be awaited.

#ifndef ROTA_FUTURE_HPP
#define ROTA_FUTURE_HPP

#include "callback.hpp"
#include "task.hpp"

#include <span>
#include <vector>

namespace rota {

namespace detail {

/// How the T of a complete future is had: its number, or the object that it
/// holds. A negative status says that it could not be taken.
template <class T>
struct taker {
    static_assert(std::is_integral_v<T>, "there is no future of this type");
    static int32_t take(rota_future, const rota_outcome &outcome, std::optional<T> &out) noexcept {
        out = static_cast<T>(outcome.value);
        return ROTA_OK;
    }
};
template <>
struct taker<void> {
    static int32_t take(rota_future, const rota_outcome &, std::optional<nothing> &out) noexcept {
        out.emplace();
        return ROTA_OK;
    }
};
template <class T>
struct taker<T *> {
    using kept = std::optional<T *>;
    static int32_t take(rota_future future, const rota_outcome &, kept &out) noexcept {
        void *taken = nullptr;
        const rota_status status = rota_future_take_result(future, &taken);
        if (status == ROTA_OK) out = static_cast<T *>(taken);
        return status;
    }
};

/// The result of a future that is complete, which ends with this.
template <class T>
result<T> take(rota_future future, const rota_outcome &outcome) {
    if (outcome.status < 0) return result<T>(outcome);
    std::optional<stored_t<T>> value;
    const int32_t status = taker<T>::take(future, outcome, value);
    if (status < 0) return result<T>::failed(status);
    return result<T>(std::move(*value), outcome);
}

/// Waits for a future inside a coroutine of rota.
class waiter {
  public:
    bool await_ready() const noexcept { return false; }

  protected:
    template <ours Promise>
    bool begin(std::coroutine_handle<Promise> coroutine, rota_future future) noexcept {
        shared_ = coroutine.promise().shared;
        const int64_t answer = rota_task_wait(shared_->task, future);
        return left(coroutine, answer);
    }
    template <ours Promise>
    bool left(std::coroutine_handle<Promise> coroutine, int64_t answer) noexcept {
        shared_ = coroutine.promise().shared;
        shared_->next = coroutine;
        refused_ = answer == ROTA_STEP_WAIT ? 0 : static_cast<int32_t>(answer);
        return answer == ROTA_STEP_WAIT;
    }
    rota_outcome outcome() const noexcept {
        return refused_ < 0 ? outcome_of(refused_) : *shared_->outcome;
    }

  private:
    context *shared_ = nullptr;
    int32_t refused_ = 0;
};

}  // namespace detail

/// What an operation will come to: a T, or a failure. `co_await` it in a
/// coroutine of rota, once; that ends it, whatever it came to.
///
/// It owns its operation: destroying it, or the coroutine that waits for it,
/// withdraws the operation, and lets go of an object that nobody took.
template <class T>
class [[nodiscard]] future : public owned<rota_future, rota_future_close> {
  public:
    using value_type = T;
    using owned::owned;

    template <bool Throws>
    class awaiter : public detail::waiter {
      public:
        explicit awaiter(future &waited) noexcept : future_(&waited) {}
        template <detail::ours Promise>
        bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
            return begin(coroutine, future_->get());
        }
        std::conditional_t<Throws, T, result<T>> await_resume() {
            result<T> taken = detail::take<T>(future_->disown(), outcome());
            if constexpr (Throws)
                return std::move(taken).value();
            else
                return taken;
        }

      private:
        future *future_;
    };

    using plain = awaiter<ROTA_EXCEPTIONS>;
    plain operator co_await() && noexcept { return plain(*this); }
    plain operator co_await() & noexcept { return plain(*this); }

    /// Whether it is complete.
    bool is_done() const noexcept {
        rota_outcome outcome;
        return rota_future_get_outcome(get(), &outcome) != ROTA_ERR_PENDING;
    }
    /// Asks the operation to end; whoever waits hears ROTA_ERR_CANCELLED.
    std::error_code cancel() noexcept { return code_of(rota_future_cancel(get())); }

    /// The same within a time: ROTA_ERR_TIMEOUT when that is over, and the
    /// operation is withdrawn. See rota_future_wait_for().
    future within(std::chrono::nanoseconds time) && noexcept {
        const rota_future inner = disown();
        const rota_future outer = rota_future_wait_for(inner, detail::ns(time));
        rota_outcome outcome;
        // What could not start at all has left the operation alone.
        if (outer.id != inner.id && rota_future_get_outcome(outer, &outcome) == ROTA_OK &&
            outcome.status < 0)
            rota_future_close(inner);
        return future(outer);
    }

    /// What it came to if it is done, without waiting; that ends it, also if it
    /// is kept. The result has no message. ROTA_ERR_PENDING: it is not done, and
    /// stays as it is.
    result<T> take_done() {
        rota_outcome outcome;
        const rota_status status = rota_future_get_outcome(get(), &outcome);
        if (status < 0) return result<T>::failed(status);
        outcome.message = "";
        result<T> taken = detail::take<T>(get(), outcome);
        (void)reset();
        return taken;
    }

    /// Blocks another thread than the loop's until it is done, which ends it:
    /// see rota_future_wait_blocking(). Where it has not ended (above all
    /// ROTA_ERR_TIMEOUT, when the time is over) it stays owned, to be waited for
    /// again, and to be dropped on the loop's thread. For numbers and void: an
    /// object can be taken on the loop's thread alone.
    result<T> wait_blocking(std::chrono::nanoseconds time = forever)
        requires(std::is_void_v<T> || std::is_integral_v<T>)
    {
        rota_outcome outcome = detail::outcome_of(1);
        const int64_t answer = rota_future_wait_blocking(get(), detail::ns(time), &outcome);
        const bool is_done = outcome.status != 1;
        if (is_done || answer == ROTA_ERR_CANCELLED || answer == ROTA_ERR_HANDLE) (void)disown();
        if (is_done) return detail::take<T>(rota_future{}, outcome);
        return result<T>::failed(static_cast<int32_t>(answer));
    }

    /// Puts a completion with `user_data` into the loop's queue when it is
    /// complete, for loop.next_completion(); ends the future.
    std::error_code drain(void *user_data) && noexcept {
        const rota_status status = rota_future_drain(get(), user_data);
        if (status == ROTA_OK) (void)disown();
        return code_of(status);
    }

    /// Calls `callback(result<T>)` in a later turn when it is complete. Storage
    /// as for loop.call_soon(); ends the future.
    template <class F>
        requires std::invocable<F &, result<T>>
    std::error_code then(F callback) && {
        using kept = detail::callback<F>;
        void *data = kept::keep(std::move(callback));
        const rota_status status = rota_future_then(get(), call<kept>, data);
        if (status < 0)
            kept::drop(data);
        else
            (void)disown();
        return code_of(status);
    }

  private:
    template <class Kept>
    static void call(rota_future complete, int64_t, void *data) noexcept {
        rota_outcome outcome = detail::outcome_of(0);
        const rota_status status = rota_future_get_outcome(complete, &outcome);
        if (status < 0) outcome = detail::outcome_of(status);
        Kept::call_once(data, [&](auto &callback) {
            callback(detail::take<T>(complete, outcome));
        });
    }
};

namespace detail {

template <class T>
struct future_as_result {
    future<T> it;
    typename future<T>::template awaiter<false> operator co_await() noexcept {
        return typename future<T>::template awaiter<false>(it);
    }
};

/// Gives up the turn.
class yield_awaiter : public waiter {
  public:
    template <ours Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        return left(coroutine, rota_task_yield(coroutine.promise().shared->task));
    }
    awaited<void> await_resume() {
        const rota_outcome came = outcome();
#if ROTA_EXCEPTIONS
        if (came.status < 0) raise(came);
#else
        if (came.status < 0) return result<void>(came);
        return result<void>(nothing{});
#endif
    }
};

}  // namespace detail

/// `co_await as_result(operation)`: a result, nothing is thrown.
template <class T>
detail::future_as_result<T> as_result(future<T> it) noexcept {
    return {std::move(it)};
}

/// `co_await within(5s, operation)`: ROTA_ERR_TIMEOUT when the time is over.
template <class T>
future<T> within(std::chrono::nanoseconds time, future<T> it) noexcept {
    return std::move(it).within(time);
}

/// The task that runs.
namespace this_task {

/// Its handle; null outside a task.
inline rota_task get() noexcept {
    rota_task task{};
    (void)rota_task_get_current(&task);
    return task;
}

/// `co_await this_task::yield()`: gives up the turn.
inline detail::yield_awaiter yield() noexcept { return {}; }

/// How many requests to end it has had that were not taken back.
inline uint32_t cancelling() noexcept {
    uint32_t count = 0;
    (void)rota_task_get_cancelling(get(), &count);
    return count;
}

/// Takes one request back: it goes on, whatever it was asked. How many are left.
inline uint32_t uncancel() noexcept {
    uint32_t left = 0;
    (void)rota_task_uncancel(get(), &left);
    return left;
}

}  // namespace this_task

/// A promise: a future that you complete. Dropping it before that cancels it.
class promise {
  public:
    promise() noexcept = default;
    explicit promise(rota_loop loop) : future_(rota_future_open(loop)) {
        rota_outcome outcome = detail::outcome_of(0);
        if (rota_future_get_outcome(future_, &outcome) == ROTA_OK) {
            future_ = {};
            detail::check(outcome.status);
        }
    }
    promise(promise &&other) noexcept : future_(std::exchange(other.future_, {})) {}
    promise &operator=(promise &&other) noexcept {
        if (this != &other) {
            (void)cancel();
            future_ = std::exchange(other.future_, {});
        }
        return *this;
    }
    ~promise() { (void)cancel(); }

    /// What to await: once, or by several if each calls this before the first
    /// is answered. It ends the promise when it is destroyed.
    future<int64_t> get_future() const noexcept { return future<int64_t>(future_); }
    rota_future get() const noexcept { return future_; }

    /// Completes it with a number at or above zero.
    std::error_code complete(int64_t value = 0) noexcept {
        return code_of(rota_future_complete(std::exchange(future_, {}), value));
    }
    /// Fails it, with a status of rota or of your own.
    std::error_code fail(int32_t status, const char *message = nullptr) noexcept {
        return code_of(rota_future_fail(std::exchange(future_, {}), status, message));
    }
    /// As complete(), from any thread: see rota_future_post_complete(). The
    /// promise may have been moved there. If it fails, the promise stays.
    /// Thread-safe, for one thread at a time, like what follows.
    std::error_code post_complete(int64_t value = 0) noexcept {
        return posted(rota_future_post_complete(future_, value));
    }
    /// As fail() without a message, from any thread.
    std::error_code post_fail(int32_t status) noexcept {
        return posted(rota_future_post_fail(future_, status));
    }
    /// On the loop's thread: a promise that is dropped elsewhere stays pending.
    std::error_code cancel() noexcept {
        const rota_future before = std::exchange(future_, {});
        return before.id == 0 ? std::error_code() : code_of(rota_future_cancel(before));
    }

  private:
    std::error_code posted(rota_status status) noexcept {
        if (status == ROTA_OK) future_ = {};
        return code_of(status);
    }

    rota_future future_{};
};

}  // namespace rota

#endif  // ROTA_FUTURE_HPP
