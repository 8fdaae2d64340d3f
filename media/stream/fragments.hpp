#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Boxes of ISO/IEC 14496-12, as far as tracks that were made apart are put
/// into one file; made by our own children, nothing else.
namespace troupe::media {

/// One init for two that have one track each: the first track is 1, the second
/// 2. `internal` for what is no init of ours.
[[nodiscard]] result<std::string> join_inits(std::string_view first,
                                             std::string_view second);

/// The head of a fragment, up to the end of its `moof`, as one of that track,
/// with that number (from 1 on) in the file. It is as long as it was; what
/// follows it in the fragment stays as it is.
[[nodiscard]] result<std::string> renumber_head(std::string_view fragment,
                                                std::uint32_t track,
                                                std::uint32_t number);

} // namespace troupe::media
