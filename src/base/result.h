// Result<T> and Error: how every room says that something did not work.
// An Error is a value. Its class tells the caller what to do, its code is stable and documented
// (docs/ERRORS.md), its message is for a person. Exceptions of libraries end in the adapter that
// called the library; nothing in Weft throws across a room.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"

namespace weft {

enum class ErrorClass : unsigned char {
  invalid,      // the request can never succeed as it is: do not retry
  denied,       // the caller may not do this
  not_found,    // there never was such a thing
  gone,         // it existed and was deleted
  conflict,     // it contradicts what is already there: resynchronise first
  too_large,    // a documented limit was passed
  overloaded,   // refused for lack of room now: retry later
  unavailable,  // a dependency does not answer: retry later
  corrupt,      // stored data fails its checks: an operator is needed
};

/// `code` must be a string literal: it is compared, logged and documented, never built.
struct Error {
  ErrorClass error_class = ErrorClass::invalid;
  std::string_view code;
  std::string message;
};

struct Unit {};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// REQUIRES: ok().
  T& value() & {
    WEFT_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    WEFT_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    WEFT_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// REQUIRES: !ok().
  const Error& error() const {
    WEFT_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<Unit>;
inline Status ok_status() { return Unit{}; }

std::string_view to_string(ErrorClass error_class);

}  // namespace weft
