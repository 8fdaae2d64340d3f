#pragma once

#include "config/result.hpp"
#include "media/image/options.hpp"

#include <vips/vips8>

#include <string>

namespace troupe::codec {

/// How an image is stored.
struct storage {
  media::image_format format = media::image_format::jpeg;
  int quality = 0;             ///< 1 to 100; where the format has one
  std::uint64_t max_bytes = 0; ///< by lowering the quality; 0: any size
  bool hurry = false;          ///< encoders that can be quicker are
  bool keep_profile = false;
};

struct stored_image {
  std::string bytes;
  int quality = 0; ///< that it took; 0: lossless
};

/// Takes metadata off that was not asked for: all but what names the owner, if
/// that is to stay. `strip_metadata` off takes nothing off.
[[nodiscard]] vips::VImage
without_metadata(const vips::VImage& image,
                 const media::image_options& options);

/// Frames one below the other, each as large as the first, with delays and
/// loops as `source` has them.
[[nodiscard]] vips::VImage join_frames(const std::vector<vips::VImage>& frames,
                                       const vips::VImage& source);

/// One frame that says nothing of others.
[[nodiscard]] vips::VImage without_frames(const vips::VImage& image);

/// Encodes. This is where a pipeline runs. Throws `vips::VError`.
[[nodiscard]] stored_image store(const vips::VImage& image, const storage& how);

} // namespace troupe::codec
