// Connections, listeners and names.

#ifndef ROTA_STREAM_HPP
#define ROTA_STREAM_HPP

#include "loop.hpp"

#include <algorithm>

namespace rota {

/// A connection. Its operations borrow their buffers until they have ended;
/// dropping an operation, or the coroutine that awaits it, ends it.
class stream : public owned<rota_stream, rota_stream_close> {
  public:
    using owned::owned;

    /// What there is; 0 is the end.
    future<size_t> read(buffer room) const noexcept {
        return future<size_t>(rota_stream_read(get(), room.data(), room.size()));
    }
    /// All of it, or ROTA_ERR_EOF.
    future<size_t> read_exactly(buffer room) const noexcept {
        return future<size_t>(rota_stream_read_exactly(get(), room.data(), room.size()));
    }
    future<size_t> read_until(buffer room, view delimiter) const noexcept {
        return future<size_t>(rota_stream_read_until(get(), room.data(), room.size(),
                                                     delimiter.data(), delimiter.size()));
    }
    /// A line with its newline; 0 is the end.
    future<size_t> read_line(buffer room) const noexcept {
        return future<size_t>(rota_stream_read_line(get(), room.data(), room.size()));
    }
    /// All of it.
    future<size_t> write(view data) const noexcept {
        return future<size_t>(rota_stream_write(get(), data.data(), data.size()));
    }
    /// The first `size` bytes of it.
    future<size_t> write(view data, size_t size) const noexcept { return write(data.first(size)); }
    future<size_t> write(const void *data, size_t size) const noexcept {
        return write(view(data, size));
    }
    /// Several, as if they were one.
    future<size_t> write_vectored(std::span<const rota_buffer> buffers) const noexcept {
        return future<size_t>(rota_stream_write_vectored(get(), buffers.data(), buffers.size()));
    }
    /// A copy, in the background; see drain().
    std::error_code send(view data) const noexcept {
        return code_of(rota_stream_send(get(), data.data(), data.size()));
    }
    future<void> drain() const noexcept { return future<void>(rota_stream_drain(get())); }
    future<void> shutdown() const noexcept { return future<void>(rota_stream_shutdown(get())); }
    /// Resets the connection.
    std::error_code abort() noexcept { return code_of(rota_stream_abort(disown())); }

    std::error_code set_no_delay(bool on) const noexcept {
        return code_of(rota_stream_set_no_delay(get(), on));
    }
    result<rota_address> local_address() const noexcept {
        rota_address address{};
        const rota_status status = rota_stream_get_local_address(get(), &address);
        if (status < 0) return result<rota_address>::failed(status);
        return result<rota_address>(address);
    }
    result<rota_address> peer_address() const noexcept {
        rota_address address{};
        const rota_status status = rota_stream_get_peer_address(get(), &address);
        if (status < 0) return result<rota_address>::failed(status);
        return result<rota_address>(address);
    }
};

namespace detail {

template <>
struct taker<stream> {
    using kept = std::optional<stream>;
    static int32_t take(rota_future future, const rota_outcome &, kept &out) noexcept {
        rota_stream taken{};
        const rota_status status = rota_future_take_stream(future, &taken);
        if (status == ROTA_OK) out.emplace(taken);
        return status;
    }
};

template <>
struct taker<std::vector<rota_address>> {
    using list = std::vector<rota_address>;
    static int32_t take(rota_future future, const rota_outcome &outcome, std::optional<list> &out) {
        size_t count = static_cast<size_t>(outcome.value);
        out.emplace(count);
        const rota_status status = rota_future_take_addresses(future, out->data(), count, &count);
        if (status == ROTA_OK) out->resize(std::min(out->size(), count));
        return status;
    }
};

}  // namespace detail

/// An address as text: "127.0.0.1:80", "[::1]:80".
inline std::string to_string(const rota_address &address) {
    char text[64];
    const bool good = rota_address_format(&address, text, sizeof text, nullptr) == ROTA_OK;
    return good ? text : "";
}

inline future<stream> loop_ref::connect(const char *host, const char *service,
                                        const rota_connect_options *options) const noexcept {
    return future<stream>(rota_loop_connect(loop_, host, service, options));
}

inline future<std::vector<rota_address>> loop_ref::resolve(
    const char *host, const char *service, const rota_resolve_options *options) const noexcept {
    return future<std::vector<rota_address>>(rota_loop_resolve(loop_, host, service, options));
}

/// Listens for connections.
class listener : public owned<rota_listener, rota_listener_close> {
  public:
    using owned::owned;
    listener(loop_ref loop, const char *host, uint16_t port,
             const rota_listen_options *options = nullptr) {
        detail::check(rota_loop_listen(loop, host, port, options, out()));
    }
    future<stream> accept() const noexcept { return future<stream>(rota_listener_accept(get())); }
    result<rota_address> address() const noexcept {
        rota_address address{};
        const rota_status status = rota_listener_get_address(get(), &address);
        if (status < 0) return result<rota_address>::failed(status);
        return result<rota_address>(address);
    }
};

/// The same for the loop that runs here.
inline future<stream> connect(const char *host, const char *service) noexcept {
    return loop_ref::current().connect(host, service);
}

}  // namespace rota

#endif  // ROTA_STREAM_HPP
