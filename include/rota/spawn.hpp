// Running coroutines on a loop, and joining them.
//
// A task that a loop runs has a *root*: one block of memory with the function
// that made the coroutine, the coroutine, the context of its chain, and in the
// end its result. The task of rota holds the root until its body is over
// (user_data_free), the join_handle until it is dropped; the later of both
// deletes it. If the task is dropped before its end, so are the coroutines,
// innermost last, and their destructors run.

#ifndef ROTA_SPAWN_HPP
#define ROTA_SPAWN_HPP

#include "future.hpp"

#include <memory>

namespace rota {

template <class T>
class join_handle;

namespace detail {

/// A value as C sees it: a number at or above zero as itself, a result that
/// failed as its status, anything else as 0.
template <class T>
int64_t short_of(const T &value) noexcept {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
        return std::in_range<int64_t>(value) && value > 0 ? static_cast<int64_t>(value) : 0;
    else
        return 0;
}
template <class T>
int64_t short_of(const result<T> &value) noexcept {
    return value.status();
}

/// The status of a task that threw. What it says goes with it, as far as C can
/// carry that; an error that came from the last await has its words already.
inline int32_t status_of(const std::exception_ptr &exception, const context &shared) noexcept {
#if ROTA_EXCEPTIONS
    try {
        std::rethrow_exception(exception);
    } catch (const error &thrown) {
        const int32_t status = thrown.status();
        if (status >= 0) return ROTA_ERR_EXCEPTION;
        if (status != ROTA_ERR_CANCELLED && status != shared.outcome->status)
            (void)rota_task_fail(shared.task, status, thrown.what());
        return status;
    } catch (const std::bad_alloc &) {
        return ROTA_ERR_MEMORY;
    } catch (const std::exception &thrown) {
        (void)rota_task_fail(shared.task, ROTA_ERR_EXCEPTION, thrown.what());
    } catch (...) {
    }
#else
    (void)exception;
    (void)shared;
#endif
    return ROTA_ERR_EXCEPTION;
}

/// The first exception of a group's members, until somebody has it.
struct group_failure {
    std::exception_ptr first;
    int32_t status = ROTA_OK;
    ~group_failure() {
        if (first && status == ROTA_ERR_EXCEPTION) report(std::move(first), true);
    }
};

/// The part of a root that whoever joins it knows.
template <class T>
struct root_base {
    context shared;
    place<T> kept;
    int32_t status = ROTA_OK;
    int holders = 2;
    /// Whether the exception has been seen by somebody else: its group.
    bool is_told = false;

    virtual ~root_base() {
        // What is an error of rota's is in the log of the loop already.
        auto *thrown = kept.exception();
        if (thrown && status == ROTA_ERR_EXCEPTION && !is_told) report(std::move(*thrown), true);
    }
    void let_go() noexcept {
        if (--holders == 0) delete this;
    }
};

template <class T, class F>
struct root final : root_base<T> {
    F function;
    task<T> body;
    /// Of the group that it is a member of, if it is.
    std::shared_ptr<group_failure> group;

    explicit root(F &&from, std::shared_ptr<group_failure> of = nullptr)
        : function(std::move(from)), body(function()), group(std::move(of)) {
        this->shared.next = body.get();
        body.get().promise().shared = &this->shared;
    }

    static int64_t step(rota_task task, const rota_outcome *outcome, void *data) noexcept {
        auto &self = *static_cast<root *>(data);
        self.shared.run(task, outcome);
        return self.body.get().done() ? self.end() : ROTA_STEP_WAIT;
    }

    static void drop(void *data) noexcept {
        auto *self = static_cast<root *>(data);
        self->body = {};
        self->let_go();
    }

    /// The coroutine has ended: what it came to is kept, and its frame goes.
    int64_t end() noexcept {
        int64_t answer = 0;
        place<T> &from = body.get().promise().kept;
#if ROTA_EXCEPTIONS
        if (auto *thrown = from.exception()) {
            this->status = status_of(*thrown, this->shared);
            answer = this->status;
            this->kept.set_exception(std::move(*thrown));
            tell_group();
        } else {
            try {
                answer = short_of(*from.value());
                this->kept.set(std::move(*from.value()));
            } catch (...) {
                answer = this->status = ROTA_ERR_EXCEPTION;
                this->kept.set_exception(std::current_exception());
                tell_group();
            }
        }
#else
        answer = short_of(*from.value());
        this->kept.set(std::move(*from.value()));
#endif
        body = {};
        return answer;
    }

    void tell_group() noexcept {
        if (!group || group->first || this->status == ROTA_ERR_CANCELLED) return;
        group->first = *this->kept.exception();
        group->status = this->status;
        this->is_told = true;
    }
};

template <class T>
struct give {
    task<T> it;
    task<T> operator()() noexcept { return std::move(it); }
};

/// What a task came to, for whoever joined it: it is over, or the join failed.
template <class T, bool Throws>
std::conditional_t<Throws, T, result<T>> joined(root_base<T> *state, const rota_outcome &outcome) {
    if (!state || state->kept.is_empty()) {
        if constexpr (Throws)
            raise(state && outcome.status < 0 ? outcome : outcome_of(ROTA_ERR_HANDLE));
        else
            return result<T>(state && outcome.status < 0 ? outcome : outcome_of(ROTA_ERR_HANDLE));
    } else if constexpr (Throws) {
        return state->kept.take();
    } else {
        if (state->status < 0 && state->status != ROTA_ERR_EXCEPTION) {
            state->kept.clear();
            return result<T>(outcome);
        }
        if constexpr (std::is_void_v<T>) {
            state->kept.take();
            return result<T>(nothing{}, outcome_of(0));
        } else {
            return result<T>(state->kept.take(), outcome_of(0));
        }
    }
}

}  // namespace detail

/// A task that runs: `co_await` it for its result, once. Dropping it lets the
/// task go on by itself; an exception of its that nobody gets then goes to the
/// handler of set_exception_handler().
template <class T>
class [[nodiscard]] join_handle {
  public:
    using value_type = T;

    join_handle() noexcept = default;
    join_handle(rota_task task, detail::root_base<T> *state) noexcept
        : task_(task), state_(state) {}
    join_handle(join_handle &&other) noexcept
        : task_(std::exchange(other.task_, {})), state_(std::exchange(other.state_, nullptr)) {}
    join_handle &operator=(join_handle &&other) noexcept {
        if (this != &other) {
            detach();
            task_ = std::exchange(other.task_, {});
            state_ = std::exchange(other.state_, nullptr);
        }
        return *this;
    }
    ~join_handle() { detach(); }

    explicit operator bool() const noexcept { return state_ != nullptr; }
    /// The task, for the functions of rota.h.
    rota_task get() const noexcept { return task_; }
    bool is_done() const noexcept { return state_ && !state_->kept.is_empty(); }

    /// Asks the task to end: see rota_task_cancel().
    std::error_code cancel() noexcept { return code_of(rota_task_cancel(task_)); }
    /// As cancel(), from any thread. Thread-safe.
    std::error_code post_cancel() const noexcept { return code_of(rota_task_post_cancel(task_)); }
    /// Lets the task go on by itself.
    void detach() noexcept {
        if (state_) {
            (void)rota_task_detach(task_);
            std::exchange(state_, nullptr)->let_go();
        }
        task_ = {};
    }

    template <bool Throws>
    class awaiter : public detail::waiter {
      public:
        explicit awaiter(join_handle &waited) noexcept : handle_(&waited) {}
        template <detail::ours Promise>
        bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
            join_.reset(rota_task_join(handle_->task_));
            return begin(coroutine, join_.get());
        }
        std::conditional_t<Throws, T, result<T>> await_resume() {
            (void)join_.disown();
            return detail::joined<T, Throws>(handle_->state_, outcome());
        }

      private:
        join_handle *handle_;
        owned<rota_future, rota_future_close> join_;
    };

    using plain = awaiter<ROTA_EXCEPTIONS>;
    plain operator co_await() && noexcept { return plain(*this); }
    plain operator co_await() & noexcept { return plain(*this); }

    /// Runs the loop until the task has ended: for the host, outside of it.
    detail::awaited<T> run(rota_loop loop) {
        const int64_t answer = rota_loop_run_until(loop, rota_task_join(task_));
        const int32_t status = answer < 0 ? static_cast<int32_t>(answer) : 0;
        return detail::joined<T, ROTA_EXCEPTIONS>(state_, detail::outcome_of(status));
    }

  private:
    rota_task task_{};
    detail::root_base<T> *state_ = nullptr;
};

namespace detail {

template <class T>
struct join_as_result {
    join_handle<T> it;
    typename join_handle<T>::template awaiter<false> operator co_await() noexcept {
        return typename join_handle<T>::template awaiter<false>(it);
    }
};

/// Starts what `function` makes. `start` is the call of C.
template <class F, class Start>
auto spawn_with(F function, const char *name, Start start,
                std::shared_ptr<group_failure> group = nullptr) {
    using T = task_value<F>;
    auto *made = new root<T, F>(std::move(function), std::move(group));
    rota_task_options options;
    rota_task task{};
    (void)rota_task_options_init(&options, sizeof options);
    options.name = name;
    options.user_data_free = root<T, F>::drop;
    const rota_status status = start(root<T, F>::step, made, &options, &task);
    join_handle<T> handle(task, made);
    check(status);
    return handle;
}

}  // namespace detail

/// `co_await as_result(handle)`: a result, no rota::error is thrown. Another
/// exception of the task still is.
template <class T>
detail::join_as_result<T> as_result(join_handle<T> it) noexcept {
    return {std::move(it)};
}

/// Runs what a function makes as a task of `loop`, from the next turn on. The
/// function (a lambda, say) is kept until the task has ended. It allocates the
/// root and the coroutine. `name` is for logs.
template <detail::makes_task F>
auto spawn(rota_loop loop, F function, const char *name = nullptr) {
    return detail::spawn_with(std::move(function), name, [loop](auto... arguments) {
        return rota_loop_spawn_stepped(loop, arguments...);
    });
}

/// Runs a coroutine as a task of `loop`, from the next turn on.
template <class T>
join_handle<T> spawn(rota_loop loop, task<T> body, const char *name = nullptr) {
    return spawn(loop, detail::give<T>{std::move(body)}, name);
}

}  // namespace rota

#endif  // ROTA_SPAWN_HPP
