#include "media/imaging/sniff.hpp"

#include <algorithm>

namespace troupe::media {

namespace {

using namespace std::string_view_literals;

unsigned byte_at(std::string_view head, std::size_t at) {
  return at < head.size() ? static_cast<unsigned char>(head[at]) : 0;
}

/// WebP Container Specification: VP8X flags, else the only frame's kind.
image_look look_at_webp(std::string_view head) {
  image_look out{image_format::webp, false, false};
  const auto chunk = head.substr(12, 4);
  if (chunk == "VP8X") {
    out.animated = (byte_at(head, 20) & 0x02) != 0;
    out.alpha = (byte_at(head, 20) & 0x10) != 0;
  } else if (chunk == "VP8L") {
    out.alpha = (byte_at(head, 24) & 0x10) != 0;
  }
  return out;
}

/// PNG (ISO 15948), 11.2.2: colour types 4 and 6 have alpha; tRNS may follow.
image_look look_at_png(std::string_view head) {
  image_look out{image_format::png, false, std::nullopt};
  if ((byte_at(head, 25) & 4) != 0)
    out.alpha = true;
  return out;
}

/// ISO 14496-12, 4.3: the major brand of an `ftyp` box.
image_look look_at_box(std::string_view brand) {
  if (brand == "avif")
    return {image_format::avif, false, std::nullopt};
  if (brand == "avis")
    return {image_format::avif, true, std::nullopt};
  if (brand == "heic" || brand == "heix" || brand == "mif1")
    return {image_format::heic, false, std::nullopt};
  return {};
}

/// Whatever of it is shown, it is drawn.
bool is_markup(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF"sv))
    head.remove_prefix(3);
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  return head.starts_with('<');
}

} // namespace

image_look look_at(std::string_view head) {
  if (head.starts_with("\xFF\xD8\xFF"sv))
    return {image_format::jpeg, false, false};
  if (head.starts_with("\x89PNG\r\n\x1A\n"sv))
    return look_at_png(head);
  if (head.starts_with("GIF8"sv))
    return {image_format::gif, true, std::nullopt};
  if (head.size() >= 16 && head.starts_with("RIFF"sv)
      && head.substr(8, 4) == "WEBP")
    return look_at_webp(head);
  if (head.starts_with("II*\0"sv) || head.starts_with("MM\0*"sv))
    return {image_format::tiff, false, std::nullopt};
  if (head.size() >= 12 && head.substr(4, 4) == "ftyp")
    return look_at_box(head.substr(8, 4));
  if (is_markup(head))
    return {image_format::svg, false, true};
  return {};
}

image_format choose_format(const image_look& source,
                           accepted_formats accepted) {
  if (accepted.avif && !source.animated)
    return image_format::avif;
  if (accepted.webp)
    return image_format::webp;
  switch (source.format) {
  case image_format::none:
  case image_format::jpeg:
  case image_format::png:
  case image_format::gif:
    return image_format::none;
  default:
    break;
  }
  if (source.animated)
    return image_format::gif;
  return source.alpha == false ? image_format::jpeg : image_format::png;
}

} // namespace troupe::media
