#pragma once

#include "config/result.hpp"
#include "media/download/params.hpp"
#include "media/probe/facts.hpp"

#include <string>
#include <string_view>

namespace troupe::media {

/// `bad_selector` for what yt-dlp would take as many files (`all`, `mergeall`,
/// a comma), for control characters and for what is absurdly long.
[[nodiscard]] result<void> check_quality(std::string_view quality);

/// yt-dlp's format selector for a quality: a height means the best at or below
/// it (streams that tell no height pass), else the lowest there is.
[[nodiscard]] std::string selector_of(const download_params& params);

/// yt-dlp's sort order, so that what fits the container without being encoded
/// anew is preferred among equal pictures; empty where its own order serves.
[[nodiscard]] std::string sort_order_of(download_format format);

/// The codec of these facts that a container cannot hold; empty if all fit.
[[nodiscard]] std::string unfit_codec(download_format container,
                                      const media_facts& facts);

} // namespace troupe::media
