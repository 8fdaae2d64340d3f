#include "media/image/geometry.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::media {

namespace {

/// Far above what any limit lets pass.
constexpr double most_pixels = 1e9;

int at_least_one(double value) {
  return static_cast<int>(std::clamp(std::round(value), 1.0, most_pixels));
}

pixel_size swapped_if(bool swap, pixel_size size) {
  return swap ? pixel_size{size.height, size.width} : size;
}

turn exif_turn(int orientation) {
  switch (orientation) {
  case 2:
    return {false, true, false};
  case 3:
    return {false, true, true};
  case 4:
    return {false, false, true};
  case 5:
    return {true, false, false};
  case 6:
    return {true, true, false};
  case 7:
    return {true, true, true};
  case 8:
    return {true, false, true};
  default:
    return {};
  }
}

turn quarter_more(turn by) {
  return {!by.transpose, !by.mirror_y, by.mirror_x};
}

/// A side of what `c` leaves.
int crop_side(int whole, double asked) {
  if (asked == 0)
    return whole;
  const auto side =
    asked >= 1 ? static_cast<int>(asked) : at_least_one(whole * asked);
  return std::min(side, whole);
}

resize_kind kind_for(pixel_size source, double width, double height,
                     const image_options& o) {
  if (o.resize != resize_kind::automatic)
    return o.resize;
  const bool source_lies = source.width >= source.height;
  return source_lies == (width >= height) ? resize_kind::fill
                                          : resize_kind::fit;
}

/// By how much both sides shrink. Follows imgproxy's `calcScale`, so that its
/// clients get the sizes they know.
struct shrinking {
  double x = 1;
  double y = 1;
  double dpr = 1;

  shrinking(pixel_size source, const image_options& o) : dpr(o.dpr) {
    const double width = o.width > 0 ? o.width : source.width;
    const double height = o.height > 0 ? o.height : source.height;
    x = source.width / width / o.dpr;
    y = source.height / height / o.dpr;
    const auto kind = kind_for(source, width, height, o);
    if (o.width == 0 && kind != resize_kind::force)
      x = y;
    else if (o.height == 0 && kind != resize_kind::force)
      y = x;
    else if (kind == resize_kind::fit)
      x = y = std::max(x, y);
    else if (kind != resize_kind::force)
      x = y = std::min(x, y);
    x /= o.zoom_x;
    y /= o.zoom_y;
    if (!o.enlarge)
      stay_within(o);
    keep_least(source, o);
    stay_visible(source);
  }

  /// By so much more, paddings and offsets too.
  void go_on(pixel_size source, double times) {
    x *= times;
    y *= times;
    dpr /= times;
    more *= times;
    stay_visible(source);
  }

  double more = 1; ///< than the sides that were asked for need

private:
  void stay_visible(pixel_size source) {
    x = std::min<double>(x, source.width);
    y = std::min<double>(y, source.height);
  }

  void stay_within(const image_options& o) {
    const auto least = std::min(x, y);
    if (least >= 1)
      return;
    x /= least;
    y /= least;
    if (!o.extend.on)
      dpr = std::max(dpr * least, std::min(dpr, 1.0));
  }

  void keep_least(pixel_size source, const image_options& o) {
    if (o.min_width > 0 && source.width / x < o.min_width) {
      const auto least = static_cast<double>(source.width) / o.min_width;
      y *= least / x;
      x = least;
    }
    if (o.min_height > 0 && source.height / y < o.min_height) {
      const auto least = static_cast<double>(source.height) / o.min_height;
      x *= least / y;
      y = least;
    }
  }
};

/// What was asked for, in pixels of the result; 0 where nothing was.
pixel_size asked_size(const image_options& o, double dpr) {
  const auto side = [&](int asked, double zoom) {
    return asked == 0 ? 0 : at_least_one(asked * dpr * zoom);
  };
  return {side(o.width, o.zoom_x), side(o.height, o.zoom_y)};
}

pixel_size cut_size(pixel_size scaled, const image_options& o,
                    const shrinking& by) {
  auto asked = asked_size(
    o, o.resize == resize_kind::fill_down ? o.dpr / by.more : by.dpr);
  const double over_x = static_cast<double>(asked.width) / scaled.width;
  const double over_y = static_cast<double>(asked.height) / scaled.height;
  if (o.resize == resize_kind::fill_down && asked.width > 0
      && asked.height > 0) {
    if (over_x > over_y && over_x > 1)
      asked = {scaled.width, at_least_one(asked.height / over_x)};
    else if (over_y > over_x && over_y > 1)
      asked = {at_least_one(asked.width / over_y), scaled.height};
  }
  const auto side = [](int wanted, int there) {
    return wanted == 0 ? there : std::min(wanted, there);
  };
  return {side(asked.width, scaled.width), side(asked.height, scaled.height)};
}

pixel_size extended_size(pixel_size cut, const image_options& o, double dpr) {
  const auto asked = asked_size(o, dpr);
  auto size = cut;
  if (o.extend.on)
    size = {std::max(size.width, asked.width),
            std::max(size.height, asked.height)};
  if (o.extend_ratio.on && asked.width > 0 && asked.height > 0) {
    const double ratio = static_cast<double>(asked.width) / asked.height;
    size = {std::max(size.width, at_least_one(size.height * ratio)),
            std::max(size.height, at_least_one(size.width / ratio))};
  }
  return size;
}

pixel_size padded_size(pixel_size size, const padding_rule& pad, double dpr) {
  const auto more = [&](int pixels) {
    return static_cast<int>(std::lround(pixels * dpr));
  };
  return {size.width + more(pad.left) + more(pad.right),
          size.height + more(pad.top) + more(pad.bottom)};
}

/// What comes of a region that is made smaller so.
void set_sizes(image_geometry& made, pixel_size region, const shrinking& by,
               const image_options& o) {
  const bool lies = made.turned.transpose;
  made.dpr = by.dpr;
  made.scale_x = 1 / (lies ? by.y : by.x);
  made.scale_y = 1 / (lies ? by.x : by.y);
  made.scaled = {at_least_one(region.width / by.x),
                 at_least_one(region.height / by.y)};
  made.cut = cut_size(made.scaled, o, by);
  made.extended = extended_size(made.cut, o, by.dpr);
  made.result = padded_size(made.extended, o.padding, by.dpr);
}

/// As imgproxy's `limitScale`: all of the result becomes smaller. Sides are
/// rounded each by itself, so their sum may need another pixel.
void stay_within_side(image_geometry& made, pixel_size region, shrinking by,
                      const image_options& o) {
  const auto longest = [&made] {
    return std::max(made.result.width, made.result.height);
  };
  const auto full = by;
  const double before = longest();
  for (int side = o.max_side; side > 0 && longest() > o.max_side; --side) {
    by = full;
    by.go_on(region, before / side);
    set_sizes(made, region, by, o);
  }
}

int offset_of(double asked, int whole, double dpr) {
  const auto pixels = std::abs(asked) >= 1 ? asked * dpr : asked * whole;
  return static_cast<int>(std::nearbyint(pixels));
}

/// -1: at the left or top; 1: at the right or bottom.
struct sides {
  int x = 0;
  int y = 0;
};

sides sides_of(gravity_kind kind) {
  switch (kind) {
  case gravity_kind::north:
    return {0, -1};
  case gravity_kind::south:
    return {0, 1};
  case gravity_kind::east:
    return {1, 0};
  case gravity_kind::west:
    return {-1, 0};
  case gravity_kind::north_east:
    return {1, -1};
  case gravity_kind::north_west:
    return {-1, -1};
  case gravity_kind::south_east:
    return {1, 1};
  case gravity_kind::south_west:
    return {-1, 1};
  default:
    return {};
  }
}

int place_side(int whole, int part, int side, int offset) {
  if (side < 0)
    return offset;
  if (side > 0)
    return whole - part - offset;
  return static_cast<int>(std::nearbyint((whole - part + 1) / 2.0)) + offset;
}

} // namespace

turn turn_of(int orientation, const image_options& options) {
  auto by = exif_turn(options.auto_rotate ? orientation : 1);
  for (int angle = options.rotate; angle > 0; angle -= 90)
    by = quarter_more(by);
  by.mirror_x ^= options.flip_horizontal;
  by.mirror_y ^= options.flip_vertical;
  return by;
}

pixel_box box_before(const turn& by, pixel_box box, pixel_size stored) {
  const auto whole = swapped_if(by.transpose, stored);
  if (by.mirror_x)
    box.left = whole.width - box.left - box.width;
  if (by.mirror_y)
    box.top = whole.height - box.top - box.height;
  if (by.transpose)
    box = {box.top, box.left, box.height, box.width};
  return box;
}

image_geometry geometry_of(pixel_size stored, int orientation,
                           const image_options& o) {
  image_geometry made;
  made.stored = stored;
  made.turned = turn_of(orientation, o);
  const bool lies = made.turned.transpose;
  const auto source = swapped_if(lies, stored);
  const pixel_size region{crop_side(source.width, o.crop.width),
                          crop_side(source.height, o.crop.height)};
  auto at = o.crop.at.value_or(o.gravity);
  if (at.kind == gravity_kind::smart)
    at = {};
  made.region = box_before(made.turned, place(source, region, at, 1), stored);
  const shrinking by{region, o};
  set_sizes(made, region, by, o);
  stay_within_side(made, region, by, o);
  return made;
}

pixel_box place(pixel_size whole, pixel_size part, const image_gravity& gravity,
                double dpr, bool overflows) {
  int left = 0;
  int top = 0;
  if (gravity.kind == gravity_kind::focus) {
    left = static_cast<int>(std::nearbyint(whole.width * gravity.x))
           - part.width / 2;
    top = static_cast<int>(std::nearbyint(whole.height * gravity.y))
          - part.height / 2;
  } else {
    const auto side = sides_of(gravity.kind);
    left = place_side(whole.width, part.width, side.x,
                      offset_of(gravity.x, whole.width, dpr));
    top = place_side(whole.height, part.height, side.y,
                     offset_of(gravity.y, whole.height, dpr));
  }
  const auto within = [&](int at, int all, int mine) {
    return overflows ? std::clamp(at, 1 - mine, all - 1)
                     : std::clamp(at, 0, std::max(0, all - mine));
  };
  return {within(left, whole.width, part.width),
          within(top, whole.height, part.height), part.width, part.height};
}

} // namespace troupe::media
