#pragma once

#include "net/cli/findings.hpp"

namespace troupe::cli {

/// Has a codec child tell which encoders of video its libavcodec has.
void check_encoders(findings& out);

} // namespace troupe::cli
