#pragma once

#include "config/result.hpp"
#include "media/errc.hpp"
#include "media/image/options.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a codec child is asked to make of an image, and what it answers.
namespace troupe::media {

/// Looked at before a pixel is decoded; beyond: `too_large`.
struct image_limits {
  std::uint64_t bytes = 64u << 20;        ///< of the source
  std::uint64_t pixels = 100'000'000;     ///< of one frame
  std::uint64_t all_pixels = 400'000'000; ///< of all frames together
  std::uint32_t frames = 1'000;
  std::uint32_t result_side = 16'384;        ///< pixels
  std::uint64_t result_pixels = 100'000'000; ///< of all frames together
  std::uint64_t result_bytes = 64u << 20;    ///< of all results together
};

/// What the source's header says.
struct image_facts {
  image_format format = image_format::none;
  std::uint32_t width = 0; ///< as stored, before EXIF turns it; of one frame
  std::uint32_t height = 0;
  std::uint32_t frames = 1;
  int orientation = 1; ///< EXIF, 1 to 8
  bool alpha = false;
  bool progressive = false; ///< a JPEG that must be decoded whole
};

/// One image in, several out. A source is decoded once for all outputs that
/// can be made of one decode.
struct image_order {
  bool asks = false; ///< the source is read by asking; else the first file
  std::int64_t source_size = -1; ///< of one that is asked for; -1: not known
  bool has_watermark = false;    ///< it is the last file
  std::string mark_text;         ///< Pango markup: the watermark, if no file
  /// `format` none: the source's own; where that cannot be saved JPEG, or PNG
  /// for what has alpha.
  std::vector<image_options> outputs;
  bool analyse = false;
  bool hurry = false;   ///< somebody waits: AVIF at effort 2, not 4
  bool lenient = false; ///< what of a truncated source is there is enough
  /// What may be read; others are `invalid_media`.
  std::vector<image_format> readable{image_format::jpeg, image_format::png,
                                     image_format::webp, image_format::gif,
                                     image_format::avif};
  image_limits limits;
  /// Of the source, if what is read is an image that was made of it and may
  /// take its place (`can_feed`).
  std::optional<image_facts> made_of;
};

/// One output.
struct image_made {
  /// `none`, or why there is none: `too_large`, `invalid_media`, …
  errc code = errc::none;
  std::string message;
  image_format format = image_format::none;
  std::uint32_t width = 0; ///< of one frame
  std::uint32_t height = 0;
  std::uint32_t frames = 1;
  int quality = 0;             ///< 0: lossless
  std::int32_t made_from = -1; ///< output whose pixels it was made of
  double made_ms = 0;          ///< decoding, if it is the first, and encoding
  std::string bytes;
};

struct image_result {
  image_facts source;
  std::vector<image_made> outputs; ///< one for each that was ordered
  std::string analysis;            ///< JSON object, if it was asked for
  double header_ms = 0;
  double total_ms = 0;
};

/// The order as it travels; options by their canonical text.
[[nodiscard]] std::string encode_image_order(const image_order& order);
[[nodiscard]] result<image_order> read_image_order(std::string_view params);

/// The result as it travels: the length of a JSON text (8 bytes, little
/// endian), the text, the bytes of all outputs.
[[nodiscard]] std::string encode_image_result(const image_result& made);
/// `errc::internal` for what no child of ours says.
[[nodiscard]] result<image_result> read_image_result(std::string_view bytes);

} // namespace troupe::media
