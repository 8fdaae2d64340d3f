#pragma once

#include "media/attempt.hpp"
#include "media/download/services.hpp"

#include <memory>

namespace troupe::media {

/// An attempt that fetches one medium with yt-dlp; see README.md for its
/// steps.
/// @param services outlive the attempt.
[[nodiscard]] std::unique_ptr<attempt>
make_download(const download_services& services, attempt_task task,
              std::shared_ptr<attempt_sink> sink);

} // namespace troupe::media
