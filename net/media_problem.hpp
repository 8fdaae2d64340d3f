#pragma once

#include "media/errc.hpp"
#include "net/problem.hpp"

namespace troupe::net {

/// What a client is told of media that could not be made for it: what another
/// try may mend is `deadline` or `rate_limited`, the rest is its request's.
[[nodiscard]] problem_code problem_code_of(media::errc code);

} // namespace troupe::net
