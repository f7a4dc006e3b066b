// Support for the C++ test programs: rota_test.h, and what C++ adds.
#ifndef ROTA_TEST_HPP
#define ROTA_TEST_HPP
#include "rota_test.h"

#include <rota.hpp>

#include <array>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

using namespace std::chrono_literals;

/// A word for the record when it is dropped.
class witness {
  public:
    explicit witness(const char *name) : name_(name) {}
    witness(witness &&other) noexcept : name_(std::exchange(other.name_, nullptr)) {}
    witness &operator=(witness &&) = delete;
    ~witness() {
        if (name_) record("~%s", name_);
    }

  private:
    const char *name_;
};

/// A loop with a clock that jumps; it must close clean.
class test_loop : public rota::loop_ref {
  public:
    test_loop() : rota::loop_ref(open_jump()) {}
    test_loop(const test_loop &) = delete;
    ~test_loop() { close_clean(get()); }
};

#endif
