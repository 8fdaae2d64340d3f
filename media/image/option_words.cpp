#include "media/image/option_words.hpp"

#include <algorithm>
#include <limits>

namespace troupe::media {

namespace {

using namespace image_arguments;
using options = image_options;

constexpr std::size_t most_tags = 16;
constexpr std::size_t longest_tag = 100;
constexpr double most_megapixels = 1e6;

template <int options::*Side>
bool read_side(options& o, arguments a) {
  return read_pixels(a[0], o.*Side);
}

template <bool options::*Flag, bool Otherwise>
bool read_switch(options& o, arguments a) {
  return read_flag(a[0], o.*Flag, Otherwise);
}

/// Makes no difference: what is asked for is made of the image itself.
bool read_thumbnail_wish(options&, arguments a) {
  bool ignored = false;
  return read_flag(a[0], ignored, false);
}

template <double options::*Sigma>
bool read_sigma(options& o, arguments a) {
  return read_number(a[0], o.*Sigma, 0.0, 0.0, 100.0);
}

template <auto Limit>
bool read_megapixels(options& o, arguments a) {
  double read = 0;
  if (!read_number(a[0], read, 0.0, 0.0, most_megapixels))
    return false;
  o.*Limit = static_cast<std::uint64_t>(std::llround(read * 1e6));
  return true;
}

template <class T, T options::*Limit>
bool read_count(options& o, arguments a) {
  return read_number(a[0], o.*Limit, T{0}, T{0}, std::numeric_limits<T>::max());
}

template <extend_rule options::*Rule>
bool read_extend(options& o, arguments a) {
  extend_rule read;
  if (!read_flag(a[0], read.on, false) || !read_gravity(a.subspan(1), read.at)
      || read.at.kind == gravity_kind::smart)
    return false;
  o.*Rule = read;
  return true;
}

bool read_resize_kind(options& o, arguments a) {
  const auto kind = a[0].empty() ? resize_kind::fit : resize_named(a[0]);
  if (kind)
    o.resize = *kind;
  return kind.has_value();
}

/// What is empty stays, as here options are put together.
bool read_size(options& o, arguments a) {
  return (at(a, 0).empty() || read_pixels(a[0], o.width))
         && (at(a, 1).empty() || read_pixels(a[1], o.height))
         && (at(a, 2).empty() || read_flag(a[2], o.enlarge, false))
         && (at(a, 3).empty()
             || read_extend<&options::extend>(o, a.subspan(3)));
}

bool read_resize(options& o, arguments a) {
  return (a[0].empty() || read_resize_kind(o, a.first(1)))
         && read_size(o, a.subspan(1));
}

bool read_zoom(options& o, arguments a) {
  constexpr double least = 0.001;
  if (!read_number(a[0], o.zoom_x, 1.0, least, 100.0))
    return false;
  return a.size() < 2 ? (o.zoom_y = o.zoom_x, true)
                      : read_number(a[1], o.zoom_y, 1.0, least, 100.0);
}

bool read_dpr(options& o, arguments a) {
  return read_number(a[0], o.dpr, 1.0, 0.01, 8.0);
}

bool read_main_gravity(options& o, arguments a) {
  return read_gravity(a, o.gravity);
}

bool read_crop(options& o, arguments a) {
  crop_rule read;
  constexpr double most = most_pixels;
  if (!read_number(a[0], read.width, 0.0, 0.0, most)
      || !read_number(at(a, 1), read.height, 0.0, 0.0, most))
    return false;
  if (!at(a, 2).empty()) {
    read.at.emplace();
    if (!read_gravity(a.subspan(2), *read.at))
      return false;
  }
  o.crop = read;
  return true;
}

bool read_trim(options& o, arguments a) {
  trim_rule read;
  if (a.size() == 1 && a[0].empty()) {
    o.trim.reset();
    return true;
  }
  if (!read_number(a[0], read.threshold, 10.0, 0.0, 255.0)
      || !read_color(at(a, 1), read.color)
      || !read_flag(at(a, 2), read.equal_hor, false)
      || !read_flag(at(a, 3), read.equal_ver, false))
    return false;
  o.trim = read;
  return true;
}

/// As in CSS: what is missing is what the opposite side has.
bool read_padding(options& o, arguments a) {
  padding_rule read;
  if (!read_pixels(a[0], read.top))
    return false;
  read.right = read.bottom = read.top;
  if (!at(a, 1).empty() && !read_pixels(a[1], read.right))
    return false;
  if (!at(a, 2).empty() && !read_pixels(a[2], read.bottom))
    return false;
  read.left = read.right;
  if (!at(a, 3).empty() && !read_pixels(a[3], read.left))
    return false;
  o.padding = read;
  return true;
}

bool read_rotate(options& o, arguments a) {
  int angle = 0;
  if (!read_number(a[0], angle, 0, -3600, 3600) || angle % 90 != 0)
    return false;
  o.rotate = (angle % 360 + 360) % 360;
  return true;
}

bool read_flip(options& o, arguments a) {
  return read_flag(a[0], o.flip_horizontal, false)
         && read_flag(at(a, 1), o.flip_vertical, false);
}

bool read_background(options& o, arguments a) {
  if (std::ranges::all_of(a, &std::string_view::empty)) {
    o.background.reset();
    return true;
  }
  return a.size() == 3 ? read_color(a, o.background)
                       : a.size() == 1 && read_color(a[0], o.background);
}

bool read_watermark(options& o, arguments a) {
  watermark_rule read;
  if (!read_number(a[0], read.opacity, 0.0, 0.0, 1.0))
    return false;
  read.repeat = at(a, 1) == "re";
  const auto kind = at(a, 1).empty() || read.repeat ? gravity_kind::center
                                                    : gravity_named(a[1]);
  constexpr double most = most_pixels;
  if (!kind || *kind == gravity_kind::smart || *kind == gravity_kind::focus
      || !read_number(at(a, 2), read.at.x, 0.0, -most, most)
      || !read_number(at(a, 3), read.at.y, 0.0, -most, most)
      || !read_number(at(a, 4), read.scale, 0.0, 0.0, 10.0))
    return false;
  read.at.kind = *kind;
  o.watermark.reset();
  if (read.opacity > 0)
    o.watermark = read;
  return true;
}

bool read_quality(options& o, arguments a) {
  return read_number(a[0], o.quality, 0, 0, 100);
}

bool read_format_quality(options& o, arguments a) {
  if (a.size() == 1 && a[0].empty()) {
    o.format_quality.clear();
    return true;
  }
  for (std::size_t i = 0; i < a.size(); i += 2) {
    const auto format = format_named(a[i]);
    int quality = 0;
    if (format == image_format::none || at(a, i + 1).empty()
        || !read_number(at(a, i + 1), quality, 0, 1, 100))
      return false;
    o.format_quality[format] = quality;
  }
  return true;
}

bool read_format(options& o, arguments a) {
  o.format = format_named(a[0]);
  return a[0].empty() || can_save(o.format);
}

bool read_skip(options& o, arguments a) {
  for (const auto name : a) {
    const auto format = format_named(name);
    if (format != image_format::none)
      o.skip.push_back(format);
    else if (!name.empty())
      return false;
  }
  std::ranges::sort(o.skip);
  o.skip.erase(std::unique(o.skip.begin(), o.skip.end()), o.skip.end());
  return true;
}

bool read_cache_buster(options& o, arguments a) {
  o.cache_buster = a[0];
  return true;
}

bool read_expires(options& o, arguments a) {
  return read_number(a[0], o.expires_s, std::int64_t{0}, std::int64_t{0},
                     std::numeric_limits<std::int64_t>::max());
}

bool read_filename(options& o, arguments a) {
  bool encoded = false;
  if (!read_flag(at(a, 1), encoded, false))
    return false;
  const auto name = encoded ? decode_base64url(a[0]) : decode_percent(a[0]);
  if (name)
    o.filename = *name;
  return name.has_value();
}

bool read_tags(options& o, arguments a) {
  for (const auto tag : a) {
    if (tag.empty() || tag.size() > longest_tag || o.tags.size() >= most_tags)
      return false;
    o.tags.emplace_back(tag);
  }
  std::ranges::sort(o.tags);
  o.tags.erase(std::unique(o.tags.begin(), o.tags.end()), o.tags.end());
  return true;
}

constexpr std::array words{
  option_word{"resize", "rs", 8, &read_resize},
  option_word{"size", "s", 7, &read_size},
  option_word{"resizing_type", "rt", 1, &read_resize_kind},
  option_word{"width", "w", 1, &read_side<&options::width>},
  option_word{"height", "h", 1, &read_side<&options::height>},
  option_word{"min-width", "mw", 1, &read_side<&options::min_width>},
  option_word{"min-height", "mh", 1, &read_side<&options::min_height>},
  option_word{"zoom", "z", 2, &read_zoom},
  option_word{"dpr", "dpr", 1, &read_dpr},
  option_word{"enlarge", "el", 1, &read_switch<&options::enlarge, false>},
  option_word{"extend", "ex", 4, &read_extend<&options::extend>},
  option_word{"extend_aspect_ratio", "exar", 4,
              &read_extend<&options::extend_ratio>},
  option_word{"extend_ar", "extend_ar", 4,
              &read_extend<&options::extend_ratio>},
  option_word{"gravity", "g", 3, &read_main_gravity},
  option_word{"crop", "c", 5, &read_crop},
  option_word{"trim", "t", 4, &read_trim},
  option_word{"padding", "pd", 4, &read_padding},
  option_word{"auto_rotate", "ar", 1,
              &read_switch<&options::auto_rotate, true>},
  option_word{"rotate", "rot", 1, &read_rotate},
  option_word{"flip", "fl", 2, &read_flip},
  option_word{"background", "bg", 3, &read_background},
  option_word{"blur", "bl", 1, &read_sigma<&options::blur>},
  option_word{"sharpen", "sh", 1, &read_sigma<&options::sharpen>},
  option_word{"pixelate", "pix", 1, &read_side<&options::pixelate>},
  option_word{"watermark", "wm", 5, &read_watermark},
  option_word{"strip_metadata", "sm", 1,
              &read_switch<&options::strip_metadata, true>},
  option_word{"keep_copyright", "kcr", 1,
              &read_switch<&options::keep_copyright, true>},
  option_word{"strip_color_profile", "scp", 1,
              &read_switch<&options::strip_profile, true>},
  option_word{"enforce_thumbnail", "eth", 1, &read_thumbnail_wish},
  option_word{"quality", "q", 1, &read_quality},
  option_word{"format_quality", "fq", 2 * image_format_count,
              &read_format_quality},
  option_word{"max_bytes", "mb", 1,
              &read_count<std::uint64_t, &options::max_bytes>},
  option_word{"format", "f", 1, &read_format},
  option_word{"ext", "ext", 1, &read_format},
  option_word{"skip_processing", "skp", image_format_count, &read_skip},
  // As the client js-core writes it.
  option_word{"skip_processing", "sp", image_format_count, &read_skip},
  option_word{"raw", "raw", 1, &read_switch<&options::raw, false>},
  option_word{"cachebuster", "cb", 1, &read_cache_buster},
  option_word{"max_src_resolution", "msr", 1,
              &read_megapixels<&options::max_source_pixels>},
  option_word{"max_src_file_size", "msfs", 1,
              &read_count<std::uint64_t, &options::max_source_bytes>},
  option_word{"max_animation_frames", "maf", 1,
              &read_count<std::uint32_t, &options::max_frames>},
  option_word{"max_animation_frame_resolution", "mafr", 1,
              &read_megapixels<&options::max_frame_pixels>},
  option_word{"max_result_dimension", "mrd", 1, &read_side<&options::max_side>},
  option_word{"expires", "exp", 1, &read_expires},
  option_word{"filename", "fn", 2, &read_filename},
  option_word{"return_attachment", "att", 1,
              &read_switch<&options::attachment, false>},
  option_word{"tag", "tag", most_tags, &read_tags},
};

} // namespace

std::span<const option_word> option_words() {
  return words;
}

} // namespace troupe::media
