#pragma once

#include "media/attempt.hpp"

#include <boost/system/result.hpp>

#include <stdexcept>

namespace troupe::media {

/// Lets `step<T>::value()` throw: a defect of the caller, as for `failure`.
[[noreturn]] inline void
throw_exception_from_error(const failure_report& why,
                           const boost::source_location&) {
  throw std::runtime_error(why.message);
}

/// What a step of an attempt leaves, or what the attempt ends with.
template <class T>
using step = boost::system::result<T, failure_report>;

/// A failure below as the end of an attempt.
[[nodiscard]] inline failure_report report_of(const failure& why) {
  const bool ours = why.code.category() == media_category();
  return {ours ? static_cast<errc>(why.code.value()) : errc::internal,
          why.detail.empty() ? why.code.message() : why.detail, 0};
}

} // namespace troupe::media
