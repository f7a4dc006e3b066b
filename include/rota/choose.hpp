// Several operations at once: the first of them, or one after the other as they
// are done.
//
// The futures stay yours. What a race was won by, and what a set hands out, is
// done, and kept for you: read it with future<T>::take_done(), which ends it,
// or drop it. An await would leave it kept until the loop is closed.

#ifndef ROTA_CHOOSE_HPP
#define ROTA_CHOOSE_HPP

#include "loop.hpp"

namespace rota {

/// The place (from 0) of the first that is done, however it is done; the others
/// are cancelled, and have ended by then. See rota_loop_race(). If it cannot
/// start, all stay as they were.
///
///     auto bytes = stream.read(buf); auto stop = event.wait();
///     if (co_await rota::race(bytes, stop) == 0) n = bytes.take_done().value();
template <class... T>
future<uint32_t> race(const future<T> &...futures) noexcept {
    const rota_future all[] = {futures.get()...};
    return future<uint32_t>(rota_loop_race(loop_ref::current(), all, sizeof...(T), 0));
}

/// As race(), for the first that succeeds: failures count as looked at.
template <class... T>
future<uint32_t> race_success(const future<T> &...futures) noexcept {
    const rota_future all[] = {futures.get()...};
    return future<uint32_t>(
        rota_loop_race(loop_ref::current(), all, sizeof...(T), ROTA_RACE_SUCCESS));
}

/// Hands futures out in the order in which they are done.
class set : public owned<rota_set, rota_set_close> {
  public:
    using owned::owned;
    explicit set(loop_ref loop) { detail::check(rota_loop_open_set(loop, out())); }
    /// With a number by which you will know it, at most INT64_MAX.
    template <class T>
    std::error_code add(const future<T> &added, uint64_t tag) const noexcept {
        return code_of(rota_set_add(get(), added.get(), tag));
    }
    /// The number of the next that is done. ROTA_ERR_DONE: nothing is left.
    future<uint64_t> next() const noexcept { return future<uint64_t>(rota_set_next(get())); }
    size_t count() const noexcept {
        size_t count = 0;
        (void)rota_set_get_count(get(), &count);
        return count;
    }
};

}  // namespace rota

#endif  // ROTA_CHOOSE_HPP
