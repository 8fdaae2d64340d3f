#pragma once

#include "media/errc.hpp"

#include <exception>

namespace troupe::media {

/// What `read` finds in JSON that only we write: whatever is amiss is one
/// failure with that code.
template <class Read>
[[nodiscard]] auto read_ours(errc code, Read read) -> result<decltype(read())> {
  try {
    return read();
  } catch (const std::exception& wrong) {
    return fail(code, wrong.what());
  }
}

} // namespace troupe::media
