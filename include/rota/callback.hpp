// Where a callback's lambda lives.
//
// C carries one pointer for a callback. A lambda that fits into it (one pointer
// or reference captured, say) and is plain data travels in it, and nothing is
// allocated. Any other is moved into one block of memory (operator new), which
// is deleted after the one call that comes for it, or at once if it could not
// be registered. rota_loop_abandon() makes no calls: the blocks are lost then.

#ifndef ROTA_CALLBACK_HPP
#define ROTA_CALLBACK_HPP

#include "error.hpp"

#include <cstring>
#include <memory>
#include <new>

namespace rota::detail {

template <class F>
struct callback {
    static constexpr bool fits = sizeof(F) <= sizeof(void *) && alignof(F) <= alignof(void *) &&
                                 std::is_trivially_copyable_v<F> &&
                                 std::is_trivially_destructible_v<F>;

    static void *keep(F &&function) {
        if constexpr (fits) {
            void *data = nullptr;
            std::memcpy(&data, std::addressof(function), sizeof function);
            return data;
        } else {
            return new F(std::move(function));
        }
    }

    static void drop(void *data) noexcept {
        if constexpr (!fits) delete static_cast<F *>(data);
    }

    /// Has `use` call the function; what it throws is reported, never let through.
    template <class Use>
    static void call(void *data, Use use) noexcept {
        if constexpr (fits) {
            alignas(F) unsigned char bytes[sizeof(F)];
            std::memcpy(bytes, &data, sizeof(F));
            guarded(use, *std::launder(reinterpret_cast<F *>(bytes)));
        } else {
            guarded(use, *static_cast<F *>(data));
        }
    }

    /// As call(), for the last time.
    template <class Use>
    static void call_once(void *data, Use use) noexcept {
        call(data, use);
        drop(data);
    }

  private:
    template <class Use>
    static void guarded(Use &use, F &function) noexcept {
#if ROTA_EXCEPTIONS
        try {
            use(function);
        } catch (...) {
            report(std::current_exception(), false);
        }
#else
        use(function);
#endif
    }
};

}  // namespace rota::detail

#endif  // ROTA_CALLBACK_HPP
