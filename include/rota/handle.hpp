// Handles that close themselves, durations, and buffers.

#ifndef ROTA_HANDLE_HPP
#define ROTA_HANDLE_HPP

#include "error.hpp"

#include <chrono>
#include <cstring>
#include <ranges>
#include <string_view>

namespace rota {

/// No end.
inline constexpr std::chrono::nanoseconds forever = std::chrono::nanoseconds::max();

namespace detail {

inline uint64_t ns(std::chrono::nanoseconds duration) noexcept {
    if (duration == forever) return ROTA_FOREVER;
    return duration.count() < 0 ? 0 : static_cast<uint64_t>(duration.count());
}

}  // namespace detail

/// Owns what a handle names: closes it in the end. Movable, not copyable; what
/// was moved from is null, and null may be closed.
template <class Handle, auto Close>
class owned {
  public:
    owned() noexcept = default;
    explicit owned(Handle handle) noexcept : handle_(handle) {}
    owned(owned &&other) noexcept : handle_(other.disown()) {}
    owned &operator=(owned &&other) noexcept {
        if (this != &other) reset(other.disown());
        return *this;
    }
    ~owned() { reset(); }

    /// The handle, for the functions of rota.h; it stays owned.
    Handle get() const noexcept { return handle_; }
    /// The handle, which is yours from now on. (Not `release`: locks and
    /// semaphores have another meaning for that word.)
    [[nodiscard]] Handle disown() noexcept { return std::exchange(handle_, Handle{}); }
    /// Closes it now, and owns another one instead.
    std::error_code reset(Handle handle = {}) noexcept {
        const Handle before = std::exchange(handle_, handle);
        return before.id == 0 ? std::error_code() : code_of(Close(before));
    }
    /// Closes it now.
    std::error_code close() noexcept { return reset(); }
    explicit operator bool() const noexcept { return handle_.id != 0; }

  protected:
    Handle *out() noexcept { return &handle_; }

  private:
    Handle handle_{};
};

namespace detail {

template <class Range>
concept bytes = std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> &&
                std::is_trivially_copyable_v<std::ranges::range_value_t<Range>>;

template <class Range>
concept writable_bytes =
    bytes<Range> &&
    !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<Range>>>;

}  // namespace detail

/// Room for bytes: any contiguous range of plain values that may be written, or
/// a pointer with a size. It borrows: the room has to be there until the
/// operation has ended.
class buffer {
  public:
    buffer(void *data, size_t size) noexcept : data_(data), size_(size) {}
    template <detail::writable_bytes Range>
    buffer(Range &&range) noexcept
        : data_(std::ranges::data(range)),
          size_(std::ranges::size(range) * sizeof(std::ranges::range_value_t<Range>)) {}

    void *data() const noexcept { return data_; }
    size_t size() const noexcept { return size_; }

  private:
    void *data_;
    size_t size_;
};

/// Bytes to be read: text (without its NUL), any contiguous range of plain
/// values, or a pointer with a size. It borrows like `buffer`.
class view {
  public:
    view(const void *data, size_t size) noexcept : data_(data), size_(size) {}
    view(const char *text) noexcept : view(text, std::strlen(text)) {}
    template <detail::bytes Range>
        requires(!std::is_array_v<std::remove_reference_t<Range>>)
    view(Range &&range) noexcept
        : data_(std::ranges::data(range)),
          size_(std::ranges::size(range) * sizeof(std::ranges::range_value_t<Range>)) {}

    const void *data() const noexcept { return data_; }
    size_t size() const noexcept { return size_; }
    /// The beginning of it.
    view first(size_t size) const noexcept { return {data_, size < size_ ? size : size_}; }

  private:
    const void *data_;
    size_t size_;
};

}  // namespace rota

#endif  // ROTA_HANDLE_HPP
