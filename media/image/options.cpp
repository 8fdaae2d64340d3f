#include "media/image/options.hpp"

#include <algorithm>

namespace troupe::media {

namespace {

struct format_row {
  std::string_view name;
  std::string_view mime;
  int quality; ///< 0: it is lossless, as we write it
  bool saves;
  bool alpha;
  bool frames;
};

/// In the order of the enumeration.
constexpr std::array<format_row, image_format_count> formats{
  format_row{"", "", 0, false, false, false},
  format_row{"jpg", "image/jpeg", 80, true, false, false},
  format_row{"png", "image/png", 0, true, true, false},
  format_row{"webp", "image/webp", 79, true, true, true},
  format_row{"avif", "image/avif", 63, true, true, false},
  format_row{"gif", "image/gif", 0, true, true, true},
  format_row{"tiff", "image/tiff", 0, true, true, false},
  format_row{"heic", "image/heic", 80, false, true, false},
  format_row{"svg", "image/svg+xml", 0, false, true, false},
};

struct alias {
  std::string_view name;
  image_format format;
};

constexpr std::array aliases{
  alias{"jpeg", image_format::jpeg},
  alias{"jpe", image_format::jpeg},
  alias{"tif", image_format::tiff},
  alias{"heif", image_format::heic},
};

const format_row& row_of(image_format format) noexcept {
  const auto at = static_cast<std::size_t>(format);
  return formats[at < formats.size() ? at : 0];
}

} // namespace

std::string_view name_of(image_format format) noexcept {
  return row_of(format).name;
}

std::string_view mime_of(image_format format) noexcept {
  return row_of(format).mime;
}

image_format format_named(std::string_view name) noexcept {
  const auto row = std::ranges::find(formats, name, &format_row::name);
  if (!name.empty() && row != formats.end())
    return static_cast<image_format>(row - formats.begin());
  const auto other = std::ranges::find(aliases, name, &alias::name);
  return other == aliases.end() ? image_format::none : other->format;
}

bool can_save(image_format format) noexcept {
  return row_of(format).saves;
}

bool keeps_alpha(image_format format) noexcept {
  return row_of(format).alpha;
}

bool keeps_frames(image_format format) noexcept {
  return row_of(format).frames;
}

int default_quality(image_format format) noexcept {
  return row_of(format).quality;
}

int image_options::quality_of(image_format as) const noexcept {
  if (const auto at = format_quality.find(as); at != format_quality.end())
    return at->second;
  return quality > 0 ? quality : default_quality(as);
}

} // namespace troupe::media
