#pragma once

#include "media/errc.hpp"

namespace troupe::media {

/// What a server means that answers so.
[[nodiscard]] inline errc code_of_status(long status) {
  switch (status) {
  case 404:
  case 410:
    return errc::source_not_found;
  case 401:
  case 402:
  case 403:
  case 407:
    return errc::source_private;
  case 429:
    return errc::rate_limited;
  case 451:
    return errc::geo_blocked;
  default:
    return errc::source_unavailable;
  }
}

} // namespace troupe::media
