#include "media/image/vips/shape.hpp"

#include "media/image/vips/mark.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace troupe::codec {

namespace {

using namespace media;
using vips::VImage;

pixel_size size_of(const VImage& image) {
  return {image.width(), image.height()};
}

VImage take(const VImage& image, const pixel_box& box) {
  if (box == pixel_box{0, 0, image.width(), image.height()})
    return image;
  return image.extract_area(box.left, box.top, box.width, box.height);
}

/// Runs a step on colours that alpha does not distort.
template <class Step>
VImage with_alpha(const VImage& image, Step step) {
  if (!image.has_alpha())
    return step(image);
  return step(image.premultiply()).unpremultiply().cast(image.format());
}

VImage resize_to(const VImage& image, pixel_size size) {
  if (size == size_of(image))
    return image;
  return with_alpha(image, [&](const VImage& plain) {
    return plain.resize(
      static_cast<double>(size.width) / plain.width(),
      VImage::option()->set("vscale",
                            static_cast<double>(size.height) / plain.height()));
  });
}

/// The size that `by.scaled` has before turning.
pixel_size scaled_before(const image_geometry& by) {
  return by.turned.transpose ? pixel_size{by.scaled.height, by.scaled.width}
                             : by.scaled;
}

/// Where a region of the source lies in a frame that was shrunk on its way in.
pixel_box region_in(const VImage& frame, const image_geometry& by) {
  const double x = static_cast<double>(frame.width()) / by.stored.width;
  const double y = static_cast<double>(frame.height()) / by.stored.height;
  const auto side = [](int of, double times, int most) {
    return std::clamp(static_cast<int>(std::lround(of * times)), 1, most);
  };
  pixel_box box;
  box.width = side(by.region.width, x, frame.width());
  box.height = side(by.region.height, y, frame.height());
  box.left =
    std::min(static_cast<int>(by.region.left * x), frame.width() - box.width);
  box.top =
    std::min(static_cast<int>(by.region.top * y), frame.height() - box.height);
  return box;
}

VImage turned(VImage image, const turn& by) {
  auto mirror_x = by.mirror_x;
  const auto mirror_y = by.mirror_y;
  if (by.transpose) {
    image = image.copy_memory().rot(VIPS_ANGLE_D90);
    mirror_x = !mirror_x;
  } else if (mirror_y) {
    image = image.copy_memory();
  }
  if (mirror_x)
    image = image.flip(VIPS_DIRECTION_HORIZONTAL);
  return mirror_y ? image.flip(VIPS_DIRECTION_VERTICAL) : image;
}

VImage smart_cut(VImage image, pixel_size size) {
  return image.copy_memory().smartcrop(
    size.width, size.height,
    VImage::option()->set("interesting", VIPS_INTERESTING_ATTENTION));
}

VImage cut(const VImage& image, const image_options& o,
           const image_geometry& by, shape_memory& memory) {
  if (by.cut == size_of(image))
    return image;
  if (memory.cut)
    return take(image, *memory.cut);
  if (o.gravity.kind != gravity_kind::smart)
    return take(image, place(size_of(image), by.cut, o.gravity, by.dpr));
  auto part = smart_cut(image, by.cut);
  memory.cut = {-part.xoffset(), -part.yoffset(), part.width(), part.height()};
  return part;
}

VImage pixelate(const VImage& image, int side) {
  const auto size = size_of(image);
  side = std::min({side, size.width, size.height});
  if (side < 2)
    return image;
  const auto up = [&](int of) {
    return (of + side - 1) / side * side;
  };
  const auto whole =
    image.embed(0, 0, up(size.width), up(size.height),
                VImage::option()->set("extend", VIPS_EXTEND_COPY));
  return with_alpha(whole,
                    [&](const VImage& plain) {
                      return plain.shrink(side, side).zoom(side, side);
                    })
    .extract_area(0, 0, size.width, size.height);
}

VImage filter(VImage image, const image_options& o) {
  if (o.blur > 0)
    image = with_alpha(image, [&](const VImage& plain) {
      return plain.copy_memory().gaussblur(o.blur);
    });
  if (o.sharpen > 0)
    image = image.sharpen(VImage::option()->set("sigma", o.sharpen));
  if (o.pixelate > 0)
    image = pixelate(image, o.pixelate);
  return image;
}

std::vector<double> numbers_of(rgb_color color) {
  return {static_cast<double>(color.r), static_cast<double>(color.g),
          static_cast<double>(color.b)};
}

/// What lies around and beneath an image.
struct ground {
  bool clear = false; ///< transparent
  std::vector<double> color;

  ground(const image_options& o, image_format as)
    : clear(!o.background && keeps_alpha(as)),
      color(numbers_of(o.background.value_or(rgb_color{255, 255, 255}))) {}
};

VImage widen(VImage image, const pixel_box& box, pixel_size whole,
             const ground& around) {
  if (whole == size_of(image))
    return image;
  if (around.clear && !image.has_alpha())
    image = image.bandjoin(255.0);
  auto color = around.clear ? std::vector<double>(3, 0.0) : around.color;
  if (image.has_alpha())
    color.push_back(around.clear ? 0 : 255);
  return image.embed(box.left, box.top, whole.width, whole.height,
                     VImage::option()
                       ->set("extend", VIPS_EXTEND_BACKGROUND)
                       ->set("background", color));
}

VImage widen(VImage image, const image_options& o, const image_geometry& by,
             const ground& around) {
  const auto& at = o.extend.on ? o.extend.at : o.extend_ratio.at;
  const auto box = place(by.extended, size_of(image), at, by.dpr);
  image = widen(image, box, by.extended, around);
  const pixel_box inner{static_cast<int>(std::lround(o.padding.left * by.dpr)),
                        static_cast<int>(std::lround(o.padding.top * by.dpr)),
                        image.width(), image.height()};
  return widen(image, inner, by.result, around);
}

/// Colours of a source without a profile.
VImage to_srgb_as_said(const VImage& image) {
  if (image.interpretation() == VIPS_INTERPRETATION_CMYK)
    return image.icc_transform("srgb",
                               VImage::option()->set("input_profile", "cmyk"));
  return image.colourspace(VIPS_INTERPRETATION_sRGB);
}

bool has_profile(const VImage& image) {
  return image.get_typeof(VIPS_META_ICC_NAME) != 0;
}

/// Whether its pixels may stay in the colours of its profile: not where they
/// meet a ground or a mark, whose colours they could not hold.
bool keeps_colors(const VImage& image, const image_options& o,
                  const image_geometry& by) {
  if (o.strip_profile || !has_profile(image))
    return false;
  const bool meets_others =
    by.result != by.cut || image.has_alpha() || o.watermark;
  const bool is_rgb = image.bands() - (image.has_alpha() ? 1 : 0) == 3
                      && image.format() == VIPS_FORMAT_UCHAR;
  return is_rgb || !meets_others;
}

} // namespace

VImage to_srgb(const VImage& image) {
  auto made = image;
  if (has_profile(image)) {
    try {
      made =
        image.icc_transform("srgb", VImage::option()->set("embedded", true));
    } catch (const vips::VError&) {
      vips_error_clear();
      made = to_srgb_as_said(image);
    }
  } else {
    made = to_srgb_as_said(image);
  }
  made = made.cast(VIPS_FORMAT_UCHAR).copy();
  made.remove(VIPS_META_ICC_NAME);
  return made;
}

VImage trim(VImage image, const trim_rule& rule) {
  auto looked_at = to_srgb(image);
  if (looked_at.has_alpha())
    looked_at = looked_at.flatten(
      VImage::option()->set("background", std::vector<double>{255, 0, 255}));
  const auto color =
    rule.color ? numbers_of(*rule.color) : looked_at.getpoint(0, 0);
  int top = 0;
  int width = 0;
  int height = 0;
  auto left = looked_at.find_trim(&top, &width, &height,
                                  VImage::option()
                                    ->set("threshold", rule.threshold)
                                    ->set("background", color));
  if (width == 0 || height == 0)
    return image;
  if (rule.equal_hor) {
    left = std::min(left, image.width() - left - width);
    width = image.width() - 2 * left;
  }
  if (rule.equal_ver) {
    top = std::min(top, image.height() - top - height);
    height = image.height() - 2 * top;
  }
  return image.extract_area(left, top, width, height);
}

VImage scale_region(VImage frame, const image_options& options,
                    const image_geometry& by) {
  const auto box = region_in(frame, by);
  const bool is_part =
    by.region != pixel_box{0, 0, by.stored.width, by.stored.height};
  const auto gravity = options.crop.at.value_or(options.gravity);
  if (is_part && gravity.kind == gravity_kind::smart)
    frame = smart_cut(frame, {box.width, box.height});
  else if (is_part)
    frame = take(frame, box);
  return scale(frame, by);
}

VImage scale(VImage image, const image_geometry& by) {
  return resize_to(image, scaled_before(by));
}

VImage finish(VImage image, const image_options& options,
              const image_geometry& by, image_format as, const VImage* mark,
              shape_memory& memory) {
  if (!keeps_colors(image, options, by))
    image = to_srgb(image);
  image = turned(image, by.turned);
  image = cut(image, options, by, memory);
  image = filter(image, options);
  const ground around{options, as};
  image = widen(image, options, by, around);
  if (image.has_alpha() && !around.clear)
    image = image.flatten(VImage::option()->set("background", around.color));
  if (mark && options.watermark)
    image = put_mark(image, *mark, *options.watermark, by.dpr);
  return image;
}

} // namespace troupe::codec
