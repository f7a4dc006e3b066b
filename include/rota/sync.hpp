// Locks, semaphores, events, queues and barriers, among the tasks and callbacks
// of one loop. What each does stands at its functions in rota.h.

#ifndef ROTA_SYNC_HPP
#define ROTA_SYNC_HPP

#include "loop.hpp"

namespace rota {

/// Gives back in the end what was acquired: a lock, or a semaphore's place.
template <class Handle, auto GiveBack>
class held : public owned<Handle, GiveBack> {
  public:
    using owned<Handle, GiveBack>::owned;
};

namespace detail {

/// Acquires, and holds until the end of a scope.
template <class Handle, auto Acquire, auto GiveBack>
class hold_awaiter : public waiter {
  public:
    explicit hold_awaiter(Handle handle) noexcept : handle_(handle), future_(Acquire(handle)) {}
    template <ours Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        return begin(coroutine, future_.get());
    }
    awaited<held<Handle, GiveBack>> await_resume() {
        (void)future_.disown();
        const rota_outcome came = outcome();
        held<Handle, GiveBack> holder(came.status == ROTA_OK ? handle_ : Handle{});
#if ROTA_EXCEPTIONS
        if (came.status < 0) raise(came);
        return holder;
#else
        if (came.status < 0) return result<held<Handle, GiveBack>>(came);
        return result<held<Handle, GiveBack>>(std::move(holder), came);
#endif
    }

  private:
    Handle handle_;
    owned<rota_future, rota_future_close> future_;
};

}  // namespace detail

/// A lock. `auto held = co_await lock.hold();` holds it until the scope ends.
class lock : public owned<rota_lock, rota_lock_close> {
  public:
    using owned::owned;
    explicit lock(loop_ref loop) { detail::check(rota_loop_open_lock(loop, out())); }
    future<void> acquire() const noexcept { return future<void>(rota_lock_acquire(get())); }
    std::error_code release() const noexcept { return code_of(rota_lock_release(get())); }
    detail::hold_awaiter<rota_lock, rota_lock_acquire, rota_lock_release> hold() const noexcept {
        return detail::hold_awaiter<rota_lock, rota_lock_acquire, rota_lock_release>(get());
    }
    bool is_locked() const noexcept {
        bool locked = false;
        (void)rota_lock_is_locked(get(), &locked);
        return locked;
    }
};

/// A semaphore. `hold()` as for a lock.
class semaphore : public owned<rota_semaphore, rota_semaphore_close> {
  public:
    using owned::owned;
    semaphore(loop_ref loop, uint64_t value, uint32_t flags = 0) {
        detail::check(rota_loop_open_semaphore(loop, value, flags, out()));
    }
    future<void> acquire() const noexcept { return future<void>(rota_semaphore_acquire(get())); }
    std::error_code release() const noexcept { return code_of(rota_semaphore_release(get())); }
    detail::hold_awaiter<rota_semaphore, rota_semaphore_acquire, rota_semaphore_release> hold()
        const noexcept {
        return detail::hold_awaiter<rota_semaphore, rota_semaphore_acquire,
                                    rota_semaphore_release>(get());
    }
    uint64_t value() const noexcept {
        uint64_t value = 0;
        (void)rota_semaphore_get_value(get(), &value);
        return value;
    }
};

/// An event.
class event : public owned<rota_event, rota_event_close> {
  public:
    using owned::owned;
    explicit event(loop_ref loop, uint32_t flags = 0) {
        detail::check(rota_loop_open_event(loop, flags, out()));
    }
    std::error_code set() const noexcept { return code_of(rota_event_set(get())); }
    std::error_code clear() const noexcept { return code_of(rota_event_clear(get())); }
    future<void> wait() const noexcept { return future<void>(rota_event_wait(get())); }
    bool is_set() const noexcept {
        bool set = false;
        (void)rota_event_is_set(get(), &set);
        return set;
    }
};

/// What tasks wait for while they hold a lock: see rota_condition_wait().
class condition : public owned<rota_condition, rota_condition_close> {
  public:
    using owned::owned;
    condition(loop_ref loop, const lock &used) {
        detail::check(rota_loop_open_condition(loop, used.get(), out()));
    }
    future<void> wait() const noexcept { return future<void>(rota_condition_wait(get())); }
    std::error_code notify(size_t count = 1) const noexcept {
        return code_of(rota_condition_notify(get(), count));
    }
    std::error_code notify_all() const noexcept {
        return code_of(rota_condition_notify_all(get()));
    }
};

/// A lock that many read under, or one writes under.
class rwlock : public owned<rota_rwlock, rota_rwlock_close> {
  public:
    using owned::owned;
    explicit rwlock(loop_ref loop) { detail::check(rota_loop_open_rwlock(loop, out())); }
    detail::hold_awaiter<rota_rwlock, rota_rwlock_acquire_read, rota_rwlock_release_read> read()
        const noexcept {
        return detail::hold_awaiter<rota_rwlock, rota_rwlock_acquire_read,
                                    rota_rwlock_release_read>(get());
    }
    detail::hold_awaiter<rota_rwlock, rota_rwlock_acquire_write, rota_rwlock_release_write> write()
        const noexcept {
        return detail::hold_awaiter<rota_rwlock, rota_rwlock_acquire_write,
                                    rota_rwlock_release_write>(get());
    }
    uint32_t readers() const noexcept {
        uint32_t readers = 0;
        (void)rota_rwlock_get_readers(get(), &readers);
        return readers;
    }
    bool is_writing() const noexcept {
        bool writing = false;
        (void)rota_rwlock_is_writing(get(), &writing);
        return writing;
    }
};

template <class T>
class queue;

/// A queue of pointers. What they point to is yours: nothing here lets go of it.
template <class T>
class queue<T *> : public owned<rota_queue, rota_queue_close> {
  public:
    using owned::owned;
    /// Capacity 0: any number. `order` is ROTA_QUEUE_...
    explicit queue(loop_ref loop, size_t capacity = 0, uint32_t order = ROTA_QUEUE_FIFO) {
        detail::check(rota_loop_open_queue(loop, capacity, order, out()));
    }
    future<void> put(T *item) const noexcept { return future<void>(rota_queue_put(get(), item)); }
    future<void> put(T *item, int64_t priority) const noexcept {
        return future<void>(rota_queue_put_priority(get(), item, priority));
    }
    /// The next item. (`get()` is the handle, as everywhere.)
    future<T *> take() const noexcept { return future<T *>(rota_queue_get(get())); }
    std::error_code try_put(T *item) const noexcept {
        return code_of(rota_queue_try_put(get(), item));
    }
    result<T *> try_take() const noexcept {
        void *item = nullptr;
        const rota_status status = rota_queue_try_get(get(), &item);
        if (status < 0) return result<T *>::failed(status);
        return result<T *>(static_cast<T *>(item));
    }
    std::error_code task_done() const noexcept { return code_of(rota_queue_task_done(get())); }
    future<void> join() const noexcept { return future<void>(rota_queue_join(get())); }
    std::error_code shutdown() const noexcept { return code_of(rota_queue_shutdown(get())); }
    /// At once: what is in it stays for try_take(), to be let go.
    std::error_code shutdown_now() const noexcept {
        return code_of(rota_queue_shutdown_now(get()));
    }
    size_t size() const noexcept {
        size_t size = 0;
        (void)rota_queue_get_size(get(), &size);
        return size;
    }
};

/// A barrier.
class barrier : public owned<rota_barrier, rota_barrier_close> {
  public:
    using owned::owned;
    barrier(loop_ref loop, uint32_t parties) {
        detail::check(rota_loop_open_barrier(loop, parties, out()));
    }
    /// As which one it came, from 0.
    future<uint32_t> wait() const noexcept { return future<uint32_t>(rota_barrier_wait(get())); }
    std::error_code reset_all() const noexcept { return code_of(rota_barrier_reset(get())); }
    uint32_t waiting() const noexcept {
        uint32_t waiting = 0;
        (void)rota_barrier_get_waiting(get(), &waiting);
        return waiting;
    }
};

}  // namespace rota

#endif  // ROTA_SYNC_HPP
