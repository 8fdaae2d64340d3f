#pragma once

#include "config/result.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The options of imgproxy's URL grammar (open version) as values. Pure: no
/// codec library, no files.
namespace troupe::media {

/// What an image is stored as. `svg` is only ever read; `heic` and `tiff` are
/// both. Values travel to codec children: append only.
enum class image_format : std::uint8_t {
  none, ///< not named
  jpeg,
  png,
  webp,
  avif,
  gif,
  tiff,
  heic,
  svg,
};
inline constexpr std::size_t image_format_count = 9;

/// "jpg", "webp", …: as in a URL; empty for `none`.
[[nodiscard]] std::string_view name_of(image_format format) noexcept;
/// "image/jpeg", …; empty for `none`.
[[nodiscard]] std::string_view mime_of(image_format format) noexcept;
/// Takes "jpeg", "tif", … too; `none` if it is no format of ours.
[[nodiscard]] image_format format_named(std::string_view name) noexcept;
/// Whether images can be made in it.
[[nodiscard]] bool can_save(image_format format) noexcept;
/// Whether it keeps transparency.
[[nodiscard]] bool keeps_alpha(image_format format) noexcept;
/// Whether it keeps frames, as we write it.
[[nodiscard]] bool keeps_frames(image_format format) noexcept;
/// Where neither `q` nor `fq` says one: 1 to 100.
[[nodiscard]] int default_quality(image_format format) noexcept;

enum class resize_kind : std::uint8_t {
  fit,       ///< within width and height
  fill,      ///< covers them, the rest is cropped
  fill_down, ///< the same, of a small image what has the ratio
  force,     ///< whatever the ratio
  automatic, ///< `fill` if both are upright or both are not, else `fit`
};

enum class gravity_kind : std::uint8_t {
  center,
  north,
  south,
  east,
  west,
  north_east,
  north_west,
  south_east,
  south_west,
  smart, ///< where most is to be seen
  focus, ///< x and y are shares of the image, 0 to 1
};

/// Where a part lies in a whole. Offsets of 1 and more are pixels (times dpr),
/// smaller ones shares of the whole; they lead away from the side named.
struct image_gravity {
  gravity_kind kind = gravity_kind::center;
  double x = 0;
  double y = 0;
  bool operator==(const image_gravity&) const = default;
};

struct rgb_color {
  std::uint8_t r = 0;
  std::uint8_t g = 0;
  std::uint8_t b = 0;
  bool operator==(const rgb_color&) const = default;
};

/// Sides below 1 are shares of the source's, 0 is the whole side.
struct crop_rule {
  double width = 0;
  double height = 0;
  std::optional<image_gravity> at; ///< none: the option `g`
  bool operator==(const crop_rule&) const = default;
};

/// Removes a border of one colour.
struct trim_rule {
  double threshold = 10;          ///< how alike colours must be
  std::optional<rgb_color> color; ///< none: that of the top left pixel
  bool equal_hor = false;         ///< cut as much on the left as on the right
  bool equal_ver = false;
  bool operator==(const trim_rule&) const = default;
};

/// Pixels, times dpr.
struct padding_rule {
  int top = 0;
  int right = 0;
  int bottom = 0;
  int left = 0;
  bool operator==(const padding_rule&) const = default;
};

struct extend_rule {
  bool on = false;
  image_gravity at; ///< not smart
  bool operator==(const extend_rule&) const = default;
};

struct watermark_rule {
  double opacity = 1;
  image_gravity at;    ///< neither smart nor focus
  bool repeat = false; ///< all over the image
  double scale = 0;    ///< share of the image's size; 0: its own size
  bool operator==(const watermark_rule&) const = default;
};

/// What is asked of one result. Default: the source in its own format, turned
/// as its EXIF says, in sRGB, without metadata.
struct image_options {
  // size
  resize_kind resize = resize_kind::fit;
  int width = 0; ///< 0: as the other side says
  int height = 0;
  int min_width = 0;
  int min_height = 0;
  double zoom_x = 1;
  double zoom_y = 1;
  double dpr = 1;
  bool enlarge = false;
  extend_rule extend;       ///< to exactly width and height
  extend_rule extend_ratio; ///< to their ratio
  image_gravity gravity;
  crop_rule crop;                ///< before resizing, of the turned source
  std::optional<trim_rule> trim; ///< before anything
  padding_rule padding;
  // direction
  bool auto_rotate = true;
  int rotate = 0; ///< clockwise: 0, 90, 180, 270
  bool flip_horizontal = false;
  bool flip_vertical = false;
  // looks
  std::optional<rgb_color> background; ///< also beneath transparent pixels
  double blur = 0;                     ///< sigma in pixels; 0: none
  double sharpen = 0;                  ///< sigma in pixels; 0: none
  int pixelate = 0;                    ///< side of a block; 0: none
  std::optional<watermark_rule> watermark;
  // what is stored
  bool strip_metadata = true;
  bool keep_copyright = true; ///< of the metadata that is stripped
  bool strip_profile = true;  ///< to sRGB; else pixels and profile stay
  image_format format = image_format::none; ///< none: negotiated, as source
  int quality = 0;                          ///< 0: by format
  std::map<image_format, int> format_quality;
  std::uint64_t max_bytes = 0; ///< lowers the quality; 0: any size
  // instead of all that
  std::vector<image_format> skip; ///< sorted; these stay as they are
  bool raw = false;               ///< the source as it is
  std::string cache_buster;
  // limits, which can only be lowered; 0: the server's
  std::uint64_t max_source_pixels = 0;
  std::uint64_t max_source_bytes = 0;
  std::uint32_t max_frames = 0; ///< later ones are left out
  std::uint64_t max_frame_pixels = 0;
  int max_side = 0; ///< a larger result is made smaller; 0: any
  // how it is delivered; no part of the result
  std::int64_t expires_s = 0;    ///< Unix time; 0: never
  std::string filename;          ///< without ending; UTF-8, unchecked
  bool attachment = false;       ///< `Content-Disposition: attachment`
  std::vector<std::string> tags; ///< sorted; `tag:NAME`, for purging

  bool operator==(const image_options&) const = default;

  /// 1 to 100, of what is stored as `as`.
  [[nodiscard]] int quality_of(image_format as) const noexcept;
};

/// What a server adds to the grammar.
struct option_rules {
  /// Named lists of options, `a:1/b:2`. The one named `default` comes first in
  /// every URL. They may name others; a circle is cut.
  std::map<std::string, std::string, std::less<>> presets;
  bool presets_only = false;  ///< option texts are names of presets
  bool has_watermark = false; ///< `wm` means something
};

/// Reads `rs:fill:300:200/q:80`: long and short names in any order, an empty
/// argument is the default, booleans as Go's ParseBool. A later option
/// overrules an earlier one. `errc::bad_params` with a detail that begins with
/// the option's name: unknown, of the paid version, or with arguments that
/// make no sense. An empty text is fine.
[[nodiscard]] result<image_options> parse_options(std::string_view text,
                                                  const option_rules& rules);

/// The one text for all that parse to the same result: short names in a fixed
/// order, defaults and what is only about delivery left out. Read again, it
/// gives the options without the latter. Part of cache keys.
[[nodiscard]] std::string canonical_text(const image_options& options);

/// The path as a client signed it, undone what proxies do: `%3A` in options is
/// a colon, `plain/http:/host` has lost a slash. Sign and parse this one.
[[nodiscard]] std::string repaired_image_path(std::string_view path);

/// A URL's path after the signature's segment, read.
struct image_path {
  image_options options; ///< `format` is the ending's, if there is one
  std::string source;    ///< decoded: "local:///a.jpg", "https://…"
};

/// Reads `OPTIONS/plain/SOURCE@EXT` and `OPTIONS/BASE64URL.EXT`, OPTIONS being
/// segments with a colon, or empty. The source may be percent-encoded (plain)
/// or split by `/` and padded (base64); `http:/host` is repaired.
/// `errc::bad_params`, as `parse_options`, or with what is wrong of the source.
/// @param path as it stands in the request, not decoded, without a query
[[nodiscard]] result<image_path> parse_image_path(std::string_view path,
                                                  const option_rules& rules);

} // namespace troupe::media
