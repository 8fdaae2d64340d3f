#include "media/imaging/work_cost.hpp"

#include "media/image/geometry.hpp"

#include <unistd.h>

#include <array>
#include <string_view>

namespace troupe::media {

namespace {

constexpr double unknown_ms = 50;
constexpr double least_ms = 2;
/// Segments before a JPEG's frame header; cameras write a dozen.
constexpr int most_segments = 100;
constexpr std::size_t box_bytes = 4096; ///< in which AVIF tells its sizes

/// Some bytes of a file; what is not there is zero.
class header_bytes {
public:
  header_bytes(int file, std::uint64_t at, std::size_t count) {
    bytes_.resize(count);
    const auto got =
      ::pread(file, bytes_.data(), count, static_cast<off_t>(at));
    bytes_.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    bytes_.resize(count);
  }

  [[nodiscard]] std::uint32_t big(std::size_t at, std::size_t count) const {
    std::uint32_t out = 0;
    for (std::size_t i = at; i < at + count; ++i)
      out = out << 8 | byte(i);
    return out;
  }
  [[nodiscard]] std::uint32_t little(std::size_t at, std::size_t count) const {
    std::uint32_t out = 0;
    for (std::size_t i = count; i > 0; --i)
      out = out << 8 | byte(at + i - 1);
    return out;
  }
  [[nodiscard]] std::string_view text(std::size_t at, std::size_t count) const {
    return std::string_view{bytes_}.substr(at, count);
  }
  [[nodiscard]] std::size_t find(std::string_view what, std::size_t at) const {
    return bytes_.find(what, at);
  }

private:
  [[nodiscard]] std::uint32_t byte(std::size_t at) const {
    return at < bytes_.size() ? static_cast<unsigned char>(bytes_[at]) : 0;
  }

  std::string bytes_;
};

/// ITU-T T.81, B.2: segments up to the frame header (SOF).
image_extent extent_of_jpeg(int file) {
  std::uint64_t at = 2;
  for (int i = 0; i < most_segments; ++i) {
    const header_bytes segment{file, at, 9};
    const auto marker = segment.big(1, 1);
    if (segment.big(0, 1) != 0xff)
      return {};
    const bool is_frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4
                          && marker != 0xc8 && marker != 0xcc;
    if (is_frame)
      return {segment.big(7, 2), segment.big(5, 2), (marker & 3) == 2};
    at += 2 + segment.big(2, 2);
  }
  return {};
}

/// WebP Container Specification; RFC 6386, 9.1; WebP Lossless, 3.
image_extent extent_of_webp(const header_bytes& head) {
  const auto chunk = head.text(12, 4);
  if (chunk == "VP8X")
    return {head.little(24, 3) + 1, head.little(27, 3) + 1, false};
  if (chunk == "VP8 ")
    return {head.little(26, 2) & 0x3fff, head.little(28, 2) & 0x3fff, false};
  const auto sizes = head.little(21, 4);
  return {(sizes & 0x3fff) + 1, (sizes >> 14 & 0x3fff) + 1, false};
}

/// ISO/IEC 23008-12, 6.5.3: the largest image that is told of.
image_extent extent_of_box(int file) {
  const header_bytes head{file, 0, box_bytes};
  image_extent out;
  for (auto at = head.find("ispe", 0); at != std::string_view::npos;
       at = head.find("ispe", at + 4)) {
    const image_extent found{head.big(at + 8, 4), head.big(at + 12, 4), false};
    if (found.pixels() > out.pixels())
      out = found;
  }
  return out;
}

/// Of a million pixels.
double reading_ms(const image_work& work) {
  switch (work.input->look.format) {
  case image_format::jpeg:
    return work.extent.progressive ? 12 : 2.7;
  case image_format::avif:
  case image_format::heic:
    return 25;
  default:
    return 12;
  }
}

/// Of a million pixels.
double making_ms(const image_work& work) {
  switch (work.options.format) {
  case image_format::avif:
    return work.hurry ? 150 : 400;
  case image_format::webp:
    return 60;
  case image_format::png:
    return 40;
  default:
    return 15;
  }
}

constexpr double million = 1e6;

double made_pixels(const image_work& work) {
  const auto& of = work.extent;
  const pixel_size stored{static_cast<int>(of.width),
                          static_cast<int>(of.height)};
  const auto made = geometry_of(stored, 1, work.options).result;
  return static_cast<double>(made.width) * made.height;
}

bool is_told(const image_extent& of) {
  constexpr std::uint32_t most = 1u << 20;
  return of.pixels() > 0 && of.width < most && of.height < most;
}

} // namespace

image_extent extent_of(int file, image_format format) {
  const auto head = [file] {
    return header_bytes{file, 0, 32};
  };
  switch (format) {
  case image_format::jpeg:
    return extent_of_jpeg(file);
  case image_format::png:
    return {head().big(16, 4), head().big(20, 4), false};
  case image_format::gif:
    return {head().little(6, 2), head().little(8, 2), false};
  case image_format::webp:
    return extent_of_webp(head());
  case image_format::avif:
  case image_format::heic:
    return extent_of_box(file);
  default:
    return {};
  }
}

double usual_cost_ms(std::span<const work_ptr> works) {
  const auto& first = *works.front();
  if (!is_told(first.extent))
    return unknown_ms;
  double out = least_ms;
  if (!first.feed)
    out +=
      reading_ms(first) * static_cast<double>(first.extent.pixels()) / million;
  for (const auto& each : works)
    out += making_ms(*each) * made_pixels(*each) / million;
  return out;
}

} // namespace troupe::media
