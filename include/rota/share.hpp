// What is shared: values that are made once, channels between threads, tokens
// that end things. What each does stands at its functions in rota.h.

#ifndef ROTA_SHARE_HPP
#define ROTA_SHARE_HPP

#include "sync.hpp"

namespace rota {

/// The right and the duty to make the value of a once<T>, for the one who got
/// it: dropped without set(), by what unwinds say, it goes to the next.
template <class T>
class making {
  public:
    making() noexcept = default;
    explicit making(rota_once once) noexcept : once_(once) {}
    making(making &&other) noexcept : once_(std::exchange(other.once_, {})) {}
    making &operator=(making &&other) noexcept {
        if (this != &other) {
            (void)give_up();
            once_ = std::exchange(other.once_, {});
        }
        return *this;
    }
    ~making() { (void)give_up(); }

    /// Whether the value is yours to make; if not, it is there.
    explicit operator bool() const noexcept { return once_.id != 0; }
    /// Moves the value into the cell (one block, operator new), which deletes it
    /// in the end. If it fails the value is gone, and the duty stays.
    std::error_code set(T value) {
        auto kept = std::make_unique<T>(std::move(value));
        const rota_status status = rota_once_set(once_, kept.get(), drop);
        if (status == ROTA_OK) {
            (void)kept.release();
            once_ = {};
        }
        return code_of(status);
    }
    std::error_code give_up() noexcept {
        const rota_once before = std::exchange(once_, {});
        return before.id == 0 ? std::error_code() : code_of(rota_once_give_up(before));
    }

  private:
    static void drop(void *value) noexcept { delete static_cast<T *>(value); }

    rota_once once_{};
};

namespace detail {

/// Waits for the value, or for the duty to make it. If this is dropped without
/// an await when it has that duty, it is given up.
template <class T>
class once_awaiter : public waiter {
  public:
    explicit once_awaiter(rota_once once) noexcept : once_(once), future_(rota_once_begin(once)) {}
    ~once_awaiter() {
        rota_outcome came;
        if (!future_ || rota_future_get_outcome(future_.get(), &came) != ROTA_OK) return;
        if (came.status == ROTA_OK && came.value == 1) (void)rota_once_give_up(once_);
    }
    once_awaiter(const once_awaiter &) = delete;
    once_awaiter &operator=(const once_awaiter &) = delete;

    template <ours Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        return begin(coroutine, future_.get());
    }
    awaited<making<T>> await_resume() {
        (void)future_.disown();
        const rota_outcome came = outcome();
        const bool ours = came.status == ROTA_OK && came.value == 1;
        making<T> duty(ours ? once_ : rota_once{});
#if ROTA_EXCEPTIONS
        if (came.status < 0) raise(came);
        return duty;
#else
        if (came.status < 0) return result<making<T>>(came);
        return result<making<T>>(std::move(duty), came);
#endif
    }

  private:
    rota_once once_;
    owned<rota_future, rota_future_close> future_;
};

}  // namespace detail

/// A cell for a T that is made once, by the first who needs it:
///
///     if (auto mine = co_await cell.begin()) mine.set(co_await make());
///     use(*cell.value());
///
/// The cell owns the value and deletes it when it is closed, or its loop is.
/// rota_owner_cancel() that drops a task after the duty has come to it, and
/// before its turn, leaves the others waiting: close the cell then.
template <class T>
class once : public owned<rota_once, rota_once_close> {
  public:
    using owned::owned;
    explicit once(loop_ref loop) { detail::check(rota_loop_open_once(loop, out())); }
    /// To be awaited: a making<T>, true for the one who is to make the value.
    /// The others wait until it is there.
    detail::once_awaiter<T> begin() const noexcept { return detail::once_awaiter<T>(get()); }
    /// The value, which stays the cell's; nullptr: it is not there.
    T *value() const noexcept {
        void *value = nullptr;
        return rota_once_get(get(), &value) == ROTA_OK ? static_cast<T *>(value) : nullptr;
    }
};

template <class T>
class sender;

/// The end of a channel that sends: a copyable name for any thread. It owns
/// nothing; once the channel is closed it answers ROTA_ERR_HANDLE. All of it is
/// thread-safe.
template <class T>
class sender<T *> {
  public:
    sender() noexcept = default;
    explicit sender(rota_channel channel) noexcept : channel_(channel) {}

    rota_channel get() const noexcept { return channel_; }
    /// To be awaited in a coroutine, of any loop: it waits for room there.
    future<void> send(T *item) const noexcept {
        return future<void>(rota_loop_send(loop_ref::current(), channel_, item));
    }
    /// Blocks the thread while there is no room: see rota_channel_send().
    std::error_code send_blocking(T *item, std::chrono::nanoseconds time = forever) const noexcept {
        return code_of(rota_channel_send(channel_, item, detail::ns(time)));
    }
    /// ROTA_ERR_LIMIT: there is no room.
    std::error_code try_send(T *item) const noexcept {
        return code_of(rota_channel_send(channel_, item, 0));
    }
    std::error_code shutdown() const noexcept { return code_of(rota_channel_shutdown(channel_)); }
    size_t size() const noexcept {
        size_t size = 0;
        (void)rota_channel_get_size(channel_, &size);
        return size;
    }
    /// How many senders wait for room.
    size_t waiting() const noexcept {
        size_t waiting = 0;
        (void)rota_channel_get_waiting(channel_, &waiting);
        return waiting;
    }

  private:
    rota_channel channel_{};
};

template <class T>
class channel;

/// A channel of pointers from any thread to a loop, which receives and owns it.
/// What they point to is yours: nothing here lets go of it.
template <class T>
class channel<T *> : public owned<rota_channel, rota_channel_close> {
  public:
    using owned::owned;
    /// Capacity: at least 1.
    channel(loop_ref loop, size_t capacity) {
        detail::check(rota_loop_open_channel(loop, capacity, out()));
    }
    /// For those who send, on any thread.
    sender<T *> get_sender() const noexcept { return sender<T *>(get()); }
    /// The next item. ROTA_ERR_SHUT: there will be none. Dropping a future that
    /// is complete drops the pointer.
    future<T *> receive() const noexcept { return future<T *>(rota_channel_receive(get())); }
    result<T *> try_receive() const noexcept {
        void *item = nullptr;
        const rota_status status = rota_channel_try_receive(get(), &item);
        if (status < 0) return result<T *>::failed(status);
        return result<T *>(static_cast<T *>(item));
    }
    std::error_code shutdown() const noexcept { return get_sender().shutdown(); }
    size_t size() const noexcept { return get_sender().size(); }
};

/// A token: cancelled by one call, seen by whoever looks, waits or is attached.
class token : public owned<rota_token, rota_token_close> {
  public:
    using owned::owned;
    explicit token(loop_ref loop) {
        detail::check(rota_loop_open_token(loop, rota_token{}, out()));
    }
    /// Below another, with which it is cancelled.
    token(loop_ref loop, const token &parent) {
        detail::check(rota_loop_open_token(loop, parent.get(), out()));
    }
    std::error_code cancel(const char *reason = nullptr) const noexcept {
        return code_of(rota_token_cancel(get(), reason));
    }
    /// As cancel(), from any thread. Thread-safe.
    std::error_code post_cancel() const noexcept { return code_of(rota_token_post_cancel(get())); }
    /// Thread-safe. A token that is closed is none that is cancelled.
    bool is_cancelled() const noexcept {
        bool cancelled = false;
        (void)rota_token_is_cancelled(get(), &cancelled);
        return cancelled;
    }
    /// Why; empty without a reason.
    std::string reason() const {
        size_t length = 0;
        char none[1] = "";
        if (rota_token_get_reason(get(), none, sizeof none, &length) < 0) return {};
        std::string text(length + 1, '\0');
        (void)rota_token_get_reason(get(), text.data(), text.size(), nullptr);
        text.resize(length);
        return text;
    }
    future<void> wait() const noexcept { return future<void>(rota_token_wait(get())); }
    /// The task is asked to end when the token is cancelled.
    std::error_code attach(rota_task task) const noexcept {
        return code_of(rota_token_attach(get(), task));
    }
    template <class T>
    std::error_code attach(const join_handle<T> &running) const noexcept {
        return attach(running.get());
    }
};

}  // namespace rota

#endif  // ROTA_SHARE_HPP
