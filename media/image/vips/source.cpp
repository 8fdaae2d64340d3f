#include "media/image/vips/source.hpp"

#include "media/image/svg.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace troupe::codec {

namespace {

using media::errc;
using media::image_format;
using vips::VImage;

constexpr std::uint32_t most_png_side = 1'000'000; ///< libpng's own limit
constexpr double least_drawn = 0.001; ///< libvips draws nothing smaller

struct magic {
  image_format format;
  std::size_t at;
  std::string_view bytes;
};

using namespace std::string_view_literals;

constexpr std::array magics{
  magic{image_format::jpeg, 0, "\xff\xd8\xff"sv},
  magic{image_format::png, 0, "\x89PNG\r\n\x1a\n"sv},
  magic{image_format::gif, 0, "GIF87a"sv},
  magic{image_format::gif, 0, "GIF89a"sv},
  magic{image_format::webp, 8, "WEBP"sv},
  magic{image_format::tiff, 0, "II*\0"sv},
  magic{image_format::tiff, 0, "MM\0*"sv},
};

/// ISO/IEC 23008-12: the brands of the `ftyp` box, which comes first.
image_format sniff_brands(std::string_view bytes) {
  if (bytes.size() < 16 || bytes.substr(4, 4) != "ftyp")
    return image_format::none;
  const auto size = std::min<std::size_t>(
    {static_cast<std::uint8_t>(bytes[3]), bytes.size(), 128});
  auto found = image_format::none;
  for (std::size_t at = 8; at + 4 <= size; at += 4) {
    const auto brand = bytes.substr(at, 4);
    if (brand == "avif" || brand == "avis")
      return image_format::avif;
    if (brand == "heic" || brand == "heix" || brand == "mif1")
      found = image_format::heic;
  }
  return found;
}

bool is_svg(std::string_view bytes) {
  const auto head = bytes.substr(0, 1024);
  const auto first = head.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  return first != head.npos && head[first] == '<'
         && head.find("<svg") != head.npos;
}

int number_of(const VImage& image, const char* name, int otherwise) {
  return image.get_typeof(name) == G_TYPE_INT ? image.get_int(name) : otherwise;
}

bool has_frames(image_format format) {
  return format == image_format::gif || format == image_format::webp;
}

/// Four bytes, the highest first.
std::uint32_t big_at(std::string_view bytes, std::size_t at) {
  std::uint32_t out = 0;
  for (const auto byte : bytes.substr(at, 4))
    out = out << 8 | static_cast<std::uint8_t>(byte);
  return out;
}

failure too_large(std::string what) {
  return fail(errc::too_large, std::move(what));
}

} // namespace

image_format sniff_image(std::string_view bytes) {
  for (const auto& each : magics)
    if (bytes.size() > each.at && bytes.substr(each.at).starts_with(each.bytes)
        && (each.format != image_format::webp || bytes.starts_with("RIFF")))
      return each.format;
  const auto by_brand = sniff_brands(bytes);
  if (by_brand != image_format::none)
    return by_brand;
  return is_svg(bytes) ? image_format::svg : image_format::none;
}

result<std::string> read_file(int file, std::uint64_t most) {
  // Not fstat, which glibc asks for in a way that the sandbox refuses; a folder
  // has an end as well, but cannot be read.
  const auto end = ::lseek(file, 0, SEEK_END);
  char first = 0;
  if (end < 0 || ::pread(file, &first, 1, 0) < 0)
    return fail(errc::io_error, "not a regular file");
  const auto size = static_cast<std::uint64_t>(end);
  if (size > most)
    return too_large(std::to_string(size) + " bytes");
  std::string bytes(size, '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto count = ::pread(file, bytes.data() + at, bytes.size() - at,
                               static_cast<off_t>(at));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return fail(errc::io_error, "the source cannot be read");
    if (count == 0)
      break;
    at += static_cast<std::size_t>(count);
  }
  bytes.resize(at);
  return bytes;
}

result<std::string> read_asked(task_context& context, std::int64_t size,
                               std::uint64_t most) {
  if (size > 0 && static_cast<std::uint64_t>(size) > most)
    return too_large(std::to_string(size) + " bytes");
  std::string bytes;
  std::array<std::uint8_t, media::max_payload> room{};
  for (;;) {
    const auto count = context.read_at(bytes.size(), room);
    if (count < 0)
      return fail(errc::io_error, "the source cannot be read");
    if (count == 0)
      return bytes;
    bytes.append(reinterpret_cast<const char*>(room.data()),
                 static_cast<std::size_t>(count));
    if (bytes.size() > most)
      return too_large("more than " + std::to_string(most) + " bytes");
  }
}

std::string take_vips_words() {
  std::string words = vips_error_buffer();
  vips_error_clear();
  std::ranges::replace(words, '\n', ' ');
  while (words.ends_with(' '))
    words.pop_back();
  return words.substr(0, 300);
}

std::vector<std::string> fields_of(const VImage& image) {
  const std::unique_ptr<gchar*, decltype(&g_strfreev)> names{
    vips_image_get_fields(image.get_image()), &g_strfreev};
  std::vector<std::string> fields;
  for (auto* const* at = names.get(); at && *at; ++at)
    fields.emplace_back(*at);
  return fields;
}

result<image_source> image_source::open(std::string bytes,
                                        const media::image_order& by) {
  image_source opened{std::move(bytes), by.lenient};
  const auto format = sniff_image(opened.bytes_);
  if (std::ranges::find(by.readable, format) == by.readable.end())
    return fail(errc::invalid_media,
                format == image_format::none
                  ? "no image of a known format"
                  : std::string{name_of(format)} + " is not read here");
  if (format == image_format::svg)
    if (const auto why = media::svg_fault(opened.bytes_); !why.empty())
      return fail(errc::invalid_media, std::string{why});
  opened.facts_.format = format;
  if (auto fine = opened.check_png_header(by.limits); !fine)
    return fine.error();
  try {
    opened.read_header();
  } catch (const vips::VError&) {
    return fail(errc::invalid_media, take_vips_words());
  }
  if (auto fine = opened.check(by.limits); !fine)
    return fine.error();
  return opened;
}

/// libpng does not tell a header above its limits from a damaged one
/// (ISO 15948, 11.2.2).
result<void> image_source::check_png_header(const media::image_limits& limits) {
  constexpr std::size_t end = 24;
  if (facts_.format != image_format::png || bytes_.size() < end)
    return {};
  facts_.width = big_at(bytes_, 16);
  facts_.height = big_at(bytes_, 20);
  if (std::max(facts_.width, facts_.height) > most_png_side)
    return too_large("a side of more than " + std::to_string(most_png_side)
                     + " pixels");
  return check(limits);
}

void image_source::read_header() {
  const auto image = VImage::new_from_buffer(
    bytes_.data(), bytes_.size(), "",
    VImage::option()->set("access", VIPS_ACCESS_SEQUENTIAL));
  facts_.width = static_cast<std::uint32_t>(image.width());
  facts_.height = static_cast<std::uint32_t>(image.height());
  if (has_frames(facts_.format))
    facts_.frames =
      static_cast<std::uint32_t>(number_of(image, VIPS_META_N_PAGES, 1));
  facts_.orientation =
    std::clamp(number_of(image, VIPS_META_ORIENTATION, 1), 1, 8);
  facts_.alpha = image.has_alpha();
  facts_.progressive = facts_.format == image_format::jpeg
                       && image.get_typeof("jpeg-multiscan") != 0;
}

result<void> image_source::check(const media::image_limits& limits) const {
  const auto pixels = std::uint64_t{facts_.width} * facts_.height;
  if (pixels > limits.pixels)
    return too_large(std::to_string(facts_.width) + " x "
                     + std::to_string(facts_.height) + " pixels");
  if (facts_.frames > limits.frames
      || pixels * facts_.frames > limits.all_pixels)
    return too_large(std::to_string(facts_.frames) + " frames of "
                     + std::to_string(pixels) + " pixels");
  return {};
}

VImage image_source::decode(double shrink, std::uint32_t frames) const {
  auto* options =
    VImage::option()
      ->set("access", VIPS_ACCESS_SEQUENTIAL)
      ->set("fail_on", lenient_ ? VIPS_FAIL_ON_NONE : VIPS_FAIL_ON_TRUNCATED);
  if (has_frames(facts_.format))
    options->set("n", static_cast<int>(frames));
  if (shrink > 1 && facts_.format == image_format::jpeg)
    options->set("shrink", static_cast<int>(shrink));
  if (shrink > 1 && facts_.format == image_format::webp)
    options->set("scale", 1.0 / shrink);
  if (facts_.format == image_format::svg)
    options->set("scale", std::max(1.0 / shrink, least_drawn));
  return VImage::new_from_buffer(bytes_.data(), bytes_.size(), "", options);
}

} // namespace troupe::codec
