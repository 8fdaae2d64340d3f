#include "media/image/vips/mark.hpp"

#include "media/image/geometry.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::codec {

namespace {

using namespace media;
using vips::VImage;

/// Its size as a share of the image, whatever its own was.
VImage fit(const VImage& mark, const VImage& image, double share) {
  if (share <= 0)
    return mark;
  const auto times = std::min(image.width() * share / mark.width(),
                              image.height() * share / mark.height());
  const auto least = std::max(1.0 / mark.width(), 1.0 / mark.height());
  return mark.premultiply()
    .resize(std::max(times, least))
    .unpremultiply()
    .cast(VIPS_FORMAT_UCHAR);
}

VImage with_opacity(const VImage& mark, double opacity) {
  if (opacity >= 1)
    return mark;
  const auto colors =
    mark.extract_band(0, VImage::option()->set("n", mark.bands() - 1));
  const auto alpha = mark.extract_band(mark.bands() - 1);
  return colors.bandjoin((alpha * opacity).cast(VIPS_FORMAT_UCHAR));
}

/// Offsets are the gaps between its repetitions.
VImage repeat(const VImage& mark, const VImage& image, const image_gravity& at,
              double dpr) {
  const auto gap = [&](double asked, int whole) {
    return static_cast<int>(
      std::lround(std::abs(asked) >= 1 ? asked * dpr : asked * whole));
  };
  const int x = std::max(0, gap(at.x, image.width()));
  const int y = std::max(0, gap(at.y, image.height()));
  const auto tile =
    mark.embed(x / 2, y / 2, mark.width() + x, mark.height() + y);
  return tile
    .replicate(image.width() / tile.width() + 1,
               image.height() / tile.height() + 1)
    .extract_area(0, 0, image.width(), image.height());
}

} // namespace

VImage draw_text(const std::string& markup) {
  const auto whole = "<span foreground=\"white\">" + markup + "</span>";
  return VImage::text(
           whole.c_str(),
           VImage::option()->set("font", "sans 32")->set("rgba", true))
    .copy_memory();
}

VImage put_mark(const VImage& image, VImage mark, const watermark_rule& rule,
                double dpr) {
  if (!mark.has_alpha())
    mark = mark.bandjoin(255.0);
  mark = with_opacity(fit(mark, image, rule.scale), rule.opacity);
  pixel_box at;
  if (rule.repeat)
    mark = repeat(mark, image, rule.at, dpr);
  else
    at = place({image.width(), image.height()}, {mark.width(), mark.height()},
               rule.at, dpr, true);
  const auto made =
    image.composite2(mark, VIPS_BLEND_MODE_OVER,
                     VImage::option()->set("x", at.left)->set("y", at.top));
  const auto same =
    image.has_alpha() || !made.has_alpha()
      ? made
      : made.extract_band(0, VImage::option()->set("n", made.bands() - 1));
  return same.cast(image.format());
}

} // namespace troupe::codec
