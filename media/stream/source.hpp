#pragma once

#include "config/result.hpp"
#include "config/settings.hpp"
#include "media/cache/cache_key.hpp"
#include "media/descriptor.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::media {

/// A source that is open. Shared and never changed.
struct stream_source {
  std::string name;     ///< as it was asked for
  std::string identity; ///< another for every version of its bytes
  cache_key key;        ///< of the identity
  std::uint64_t size = 0;
  descriptor file; ///< none: it is read from `url`
  std::string url = {};
};
using source_ptr = std::shared_ptr<const stream_source>;

/// Opens a source that is a file, as `open_input` does. Blocks.
[[nodiscard]] result<source_ptr>
open_stream_source(const std::string& source, std::string_view job_result,
                   const config::library_settings& library);

/// Whether the file is another than when it was opened.
[[nodiscard]] bool is_changed(const stream_source& source);

/// Of a container as `av_index` names it: "video/mp4", …
[[nodiscard]] std::string_view media_type_of(std::string_view container,
                                             bool has_video) noexcept;

} // namespace troupe::media
