// What goes wrong: statuses as std::error_code, as exceptions, and as results.
//
// A status of rota is a std::error_code of rota::category(); rota_status
// converts by itself, so that `code == ROTA_ERR_TIMEOUT` is written like that,
// and compares with std::errc where there is a generic name.
//
// With exceptions, awaiting something that failed throws rota::error, or
// rota::cancelled where the task was asked to end: letting that pass unwinds
// the coroutine, and it ends cancelled. `co_await rota::as_result(x)` gives a
// rota::result instead. Without exceptions (-fno-exceptions) every await does;
// what cannot be opened is null then, and its operations say ROTA_ERR_HANDLE.
//
// No exception crosses a frame of C. What a callback throws goes to the
// handler of set_exception_handler(); without one it is std::terminate(). What
// a task throws goes to whoever joins it. If nobody does, it goes to the
// handler, and the log of the loop is told that the task failed:
// ROTA_ERR_EXCEPTION is its status for everybody who asks in C.

#ifndef ROTA_ERROR_HPP
#define ROTA_ERROR_HPP

#include "../rota.h"

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#if defined(__cpp_exceptions) && !defined(ROTA_NO_EXCEPTIONS)
#define ROTA_EXCEPTIONS 1
#else
#define ROTA_EXCEPTIONS 0
#endif

namespace rota {

namespace detail {

class category_type final : public std::error_category {
  public:
    const char *name() const noexcept override { return "rota"; }

    std::string message(int status) const override {
        return rota_strerror(status);
    }

    std::error_condition default_error_condition(int status) const noexcept override {
        switch (status) {
            case ROTA_ERR_INVALID: return std::errc::invalid_argument;
            case ROTA_ERR_CANCELLED: return std::errc::operation_canceled;
            case ROTA_ERR_BUSY: return std::errc::device_or_resource_busy;
            case ROTA_ERR_MEMORY: return std::errc::not_enough_memory;
            case ROTA_ERR_TIMEOUT: return std::errc::timed_out;
            case ROTA_ERR_UNSUPPORTED: return std::errc::not_supported;
            case ROTA_ERR_RESET: return std::errc::connection_reset;
            case ROTA_ERR_BROKEN_PIPE: return std::errc::broken_pipe;
            case ROTA_ERR_REFUSED: return std::errc::connection_refused;
            case ROTA_ERR_UNREACHABLE: return std::errc::network_unreachable;
            case ROTA_ERR_ADDRESS_IN_USE: return std::errc::address_in_use;
            case ROTA_ERR_ADDRESS: return std::errc::address_not_available;
            case ROTA_ERR_DESCRIPTORS: return std::errc::too_many_files_open;
            case ROTA_ERR_ACCESS: return std::errc::permission_denied;
            case ROTA_ERR_NOT_CONNECTED: return std::errc::not_connected;
            default: return {status, *this};
        }
    }
};

}  // namespace detail

/// The category of rota's statuses, and of the host's own.
inline const std::error_category &category() noexcept {
    static const detail::category_type it;
    return it;
}

/// A status as an error_code; ROTA_OK is none.
inline std::error_code code_of(int32_t status) noexcept {
    return {static_cast<int>(status), category()};
}

/// Something failed. `code()` is its status, `what()` says it with the message.
class error : public std::system_error {
  public:
    explicit error(const rota_outcome &outcome)
        : std::system_error(made_of(outcome.status, outcome.message)),
          os_error_(outcome.os_error),
          moved_bytes_(outcome.moved_bytes) {}

    explicit error(int32_t status, const char *message = "")
        : std::system_error(made_of(status, message)) {}

    /// A rota_status, or one of the host's own.
    int32_t status() const noexcept { return code().value(); }
    /// The system's error number, or 0.
    int32_t os_error() const noexcept { return os_error_; }
    /// How many bytes moved although it failed.
    uint64_t moved_bytes() const noexcept { return moved_bytes_; }

  private:
    static std::system_error made_of(int32_t status, const char *message) {
        return *message ? std::system_error(code_of(status), message)
                        : std::system_error(code_of(status));
    }

    int32_t os_error_ = 0;
    uint64_t moved_bytes_ = 0;
};

/// The task was asked to end.
class cancelled : public error {
  public:
    using error::error;
};

/// Told of exceptions that have nowhere to go. It must not throw.
using exception_handler = void (*)(std::exception_ptr exception) noexcept;

namespace detail {

inline std::atomic<exception_handler> &the_handler() noexcept {
    static std::atomic<exception_handler> it{nullptr};
    return it;
}

/// Without a handler a task's exception is in the log; a callback's would be lost.
inline void report(std::exception_ptr exception, bool is_logged) noexcept {
    if (const exception_handler handler = the_handler().load())
        handler(std::move(exception));
    else if (!is_logged)
        std::terminate();
}

[[noreturn]] inline void raise(const rota_outcome &outcome) {
#if ROTA_EXCEPTIONS
    if (outcome.status == ROTA_ERR_CANCELLED) throw cancelled(outcome);
    throw error(outcome);
#else
    (void)outcome;
    std::terminate();
#endif
}

inline rota_outcome outcome_of(int32_t status) noexcept {
    rota_outcome outcome{};
    outcome.status = status;
    outcome.message = "";
    return outcome;
}

/// For what opens something: throws; without exceptions what was to be opened is null.
inline void check(int64_t status) {
#if ROTA_EXCEPTIONS
    if (status < 0) raise(outcome_of(static_cast<int32_t>(status)));
#else
    (void)status;
#endif
}

struct nothing {};

template <class T>
struct stored {
    using type = T;
};
template <>
struct stored<void> {
    using type = nothing;
};
template <class T>
struct stored<T &> {
    using type = T *;
};
/// What a T is kept as: references as pointers, void as nothing.
template <class T>
using stored_t = typename stored<T>::type;

template <class T>
T unstore(stored_t<T> &&kept) {
    if constexpr (std::is_void_v<T>)
        (void)kept;
    else if constexpr (std::is_reference_v<T>)
        return *kept;
    else
        return std::move(kept);
}

}  // namespace detail

/// Sets who is told of exceptions that have nowhere to go, for the whole
/// process; nullptr: nobody. Returns who was before. Thread-safe.
inline exception_handler set_exception_handler(exception_handler handler) noexcept {
    return detail::the_handler().exchange(handler);
}

/// What an operation came to: a value, or what went wrong.
template <class T>
class [[nodiscard]] result {
  public:
    result(detail::stored_t<T> value, const rota_outcome &outcome = detail::outcome_of(0))
        : value_(std::move(value)), outcome_(outcome) {}
    explicit result(const rota_outcome &failure) : outcome_(failure) {}
    /// A failure; `status` is negative.
    static result failed(int32_t status) { return result(detail::outcome_of(status)); }

    explicit operator bool() const noexcept { return value_.has_value(); }
    bool ok() const noexcept { return value_.has_value(); }

    /// The value. If there is none: throws rota::error; without exceptions std::terminate().
    T value() && {
        if (!value_) detail::raise(outcome_);
        return detail::unstore<T>(std::move(*value_));
    }
    auto &value() & {
        if (!value_) detail::raise(outcome_);
        return *value_;
    }
    auto &operator*() & noexcept { return *value_; }
    auto *operator->() noexcept { return &*value_; }

    /// What went wrong; no error if nothing did.
    std::error_code error() const noexcept { return code_of(outcome_.status); }
    int32_t status() const noexcept { return outcome_.status; }
    int32_t os_error() const noexcept { return outcome_.os_error; }
    /// How many bytes moved, also when it failed or was cancelled.
    uint64_t moved_bytes() const noexcept { return outcome_.moved_bytes; }
    /// In words. It lives until the task's next await.
    const char *message() const noexcept { return outcome_.message; }

  private:
    std::optional<detail::stored_t<T>> value_;
    rota_outcome outcome_;
};

namespace detail {

/// What an await gives: the value, or a result where there are no exceptions.
template <class T>
using awaited = std::conditional_t<ROTA_EXCEPTIONS, T, result<T>>;

}  // namespace detail
}  // namespace rota

/// Found by std::error_code, in the namespace of rota_status.
inline std::error_code make_error_code(rota_status status) noexcept {
    return rota::code_of(status);
}

template <>
struct std::is_error_code_enum<rota_status> : std::true_type {};

#endif  // ROTA_ERROR_HPP
