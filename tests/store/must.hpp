#pragma once

#include "config/result.hpp"

#include <stdexcept>
#include <utility>

namespace troupe::store::testing {

/// What a call gave that cannot fail here; throws if it did.
template <class T>
T must(result<T> outcome) {
  if (!outcome)
    throw std::runtime_error(outcome.error().message());
  return std::move(*outcome);
}

} // namespace troupe::store::testing
