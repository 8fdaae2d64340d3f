#pragma once

#include "config/result.hpp"
#include "media/errc.hpp"

#include <string>

namespace troupe::codec {

/// libav's own code as one of ours: no memory, an input that cannot be read,
/// else broken media. @param what for people: what could not be done
[[nodiscard]] failure av_failure(int code, const std::string& what);

} // namespace troupe::codec
