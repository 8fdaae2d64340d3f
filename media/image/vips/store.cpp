#include "media/image/vips/store.hpp"

#include "media/image/vips/source.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

namespace troupe::codec {

namespace {

using media::image_format;
using vips::VImage;

/// Below it a progressive JPEG is larger and never seen half loaded.
constexpr int least_progressive = 100'000;
constexpr int least_quality = 10;
constexpr int most_tries = 7;
/// libheif's, 0 (slow to none) to 9.
constexpr int avif_effort = 4;
constexpr int avif_effort_hurried = 2;
constexpr int webp_effort = 4;
constexpr int webp_effort_hurried = 2;
constexpr int gif_effort = 7;
constexpr int gif_effort_hurried = 3;

struct blob_releaser {
  void operator()(VipsBlob* blob) const noexcept {
    vips_area_unref(VIPS_AREA(blob));
  }
};
using blob_ptr = std::unique_ptr<VipsBlob, blob_releaser>;

VipsBlob* encode_jpeg(const VImage& image, int quality) {
  return image.jpegsave_buffer(
    VImage::option()
      ->set("Q", quality)
      ->set("optimize_coding", true)
      ->set("interlace", image.width() * image.height() >= least_progressive));
}

VipsBlob* encode(const VImage& image, const storage& how, int quality) {
  switch (how.format) {
  case image_format::png:
    return image.pngsave_buffer(VImage::option()->set("compression", 6));
  case image_format::webp:
    return image.webpsave_buffer(
      VImage::option()
        ->set("Q", quality)
        ->set("effort", how.hurry ? webp_effort_hurried : webp_effort));
  case image_format::avif:
    return image.heifsave_buffer(
      VImage::option()
        ->set("Q", quality)
        ->set("bitdepth", 8)
        ->set("compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1)
        ->set("effort", how.hurry ? avif_effort_hurried : avif_effort));
  case image_format::gif:
    return image.gifsave_buffer(VImage::option()->set(
      "effort", how.hurry ? gif_effort_hurried : gif_effort));
  case image_format::tiff:
    return image.tiffsave_buffer(
      VImage::option()
        ->set("compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE)
        ->set("predictor", VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL));
  default:
    return encode_jpeg(image, quality);
  }
}

std::string bytes_of(const VImage& image, const storage& how, int quality) {
  const blob_ptr blob{encode(image, how, quality)};
  std::size_t size = 0;
  const auto* bytes = vips_blob_get(blob.get(), &size);
  return {static_cast<const char*>(bytes), size};
}

/// Halves the range of qualities until one fits, or the least is tried.
stored_image store_within(const VImage& image, const storage& how) {
  stored_image best{bytes_of(image, how, how.quality), how.quality};
  int low = least_quality;
  int high = how.quality - 1;
  bool fits = best.bytes.size() <= how.max_bytes;
  for (int i = 0; i < most_tries && !fits && low <= high; ++i) {
    const int middle = i + 1 == most_tries ? low : (low + high) / 2;
    stored_image tried{bytes_of(image, how, middle), middle};
    const bool small = tried.bytes.size() <= how.max_bytes;
    if (small || tried.bytes.size() < best.bytes.size())
      best = std::move(tried);
    small ? low = middle + 1 : high = middle - 1;
    fits = low > high && best.bytes.size() <= how.max_bytes;
  }
  return best;
}

bool names_owner(std::string_view field) {
  constexpr std::array<std::string_view, 3> fields{
    VIPS_META_EXIF_NAME, "exif-ifd0-Copyright", "exif-ifd0-Artist"};
  return std::ranges::find(fields, field) != fields.end();
}

bool is_metadata(std::string_view field) {
  return field.starts_with("exif-") || field == VIPS_META_XMP_NAME
         || field == VIPS_META_IPTC_NAME || field == VIPS_META_PHOTOSHOP_NAME
         || field == VIPS_META_ORIENTATION || field == "jpeg-thumbnail-data"
         || field.starts_with("png-comment-") || field == "gif-comment"
         || field == VIPS_META_IMAGEDESCRIPTION;
}

} // namespace

VImage without_metadata(const VImage& image,
                        const media::image_options& options) {
  auto made = image.copy();
  if (options.auto_rotate)
    made.remove(VIPS_META_ORIENTATION);
  if (!options.strip_metadata)
    return made;
  const bool has_owner = made.get_typeof("exif-ifd0-Copyright") != 0
                         || made.get_typeof("exif-ifd0-Artist") != 0;
  const bool keeps = options.keep_copyright && has_owner;
  for (const auto& field : fields_of(made))
    if (is_metadata(field) && !(keeps && names_owner(field)))
      made.remove(field.c_str());
  return made;
}

VImage join_frames(const std::vector<VImage>& frames, const VImage& source) {
  auto joined =
    VImage::arrayjoin(frames, VImage::option()->set("across", 1)).copy();
  joined.set(VIPS_META_PAGE_HEIGHT, frames.front().height());
  joined.set(VIPS_META_N_PAGES, static_cast<int>(frames.size()));
  if (source.get_typeof("loop") != 0)
    joined.set("loop", source.get_int("loop"));
  if (source.get_typeof("delay") != 0) {
    auto delays = source.get_array_int("delay");
    delays.resize(frames.size(), delays.empty() ? 100 : delays.back());
    joined.set("delay", delays);
  }
  return joined;
}

VImage without_frames(const VImage& image) {
  auto made = image.copy();
  for (const auto* field : {VIPS_META_PAGE_HEIGHT, VIPS_META_N_PAGES, "delay",
                            "loop", "gif-delay", "gif-loop"})
    made.remove(field);
  return made;
}

stored_image store(const VImage& image, const storage& how) {
  auto made = image;
  if (!how.keep_profile && made.get_typeof(VIPS_META_ICC_NAME) != 0) {
    made = made.copy();
    made.remove(VIPS_META_ICC_NAME);
  }
  const bool lossy = media::default_quality(how.format) > 0;
  if (how.max_bytes > 0 && lossy)
    return store_within(made.copy_memory(), how);
  return {bytes_of(made, how, how.quality), lossy ? how.quality : 0};
}

} // namespace troupe::codec
