#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace troupe {

/// Why an operation below the actors failed: a code that callers branch on and
/// a detail for people (a path, an option, a server's own words).
struct failure {
  std::error_code code;
  std::string detail;

  /// The code's message, followed by the detail where there is one.
  [[nodiscard]] std::string message() const {
    return detail.empty() ? code.message() : code.message() + ": " + detail;
  }
};

/// Lets `result<T>::value()` throw; a thrown failure is a defect of the caller,
/// who should have looked first.
[[noreturn]] inline void
throw_exception_from_error(const failure& why, const boost::source_location&) {
  throw std::system_error(why.code, why.detail);
}

/// A value, or why there is none. Errors are values below the mailbox.
template <class T>
using result = boost::system::result<T, failure>;

/// A failure of the given code, for `return fail(errc::x, "detail")`.
template <class Code>
[[nodiscard]] failure fail(Code code, std::string detail = {}) {
  return failure{make_error_code(code), std::move(detail)};
}

/// Milliseconds since the Unix epoch, UTC; 0 means "not set".
using timestamp_ms = std::int64_t;

} // namespace troupe
