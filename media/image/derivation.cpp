#include "media/image/derivation.hpp"

#include <algorithm>

namespace troupe::media {

namespace {

constexpr double least_ratio = 2.0;
constexpr int least_quality = 90;
/// What is shrunk on its way in is the mean of blocks, which is soft: less than
/// this leaves it so (2 dB less to a full decode).
constexpr double least_left = 1.5;
/// Regions begin and end at pixels of what was decoded.
constexpr double least_left_of_part = 2;

bool is_smart(const image_options& o) {
  return o.crop.at.value_or(o.gravity).kind == gravity_kind::smart
         && (o.crop.width > 0 || o.crop.height > 0);
}

bool has_same_region(const image_options& a, const image_geometry& of_a,
                     const image_options& b, const image_geometry& of_b) {
  return a.trim == b.trim && of_a.region == of_b.region
         && is_smart(a) == is_smart(b)
         && (!is_smart(a) || of_a.turned == of_b.turned);
}

bool is_twice(const image_geometry& a, const image_geometry& b) {
  return a.scale_x >= least_ratio * b.scale_x
         && a.scale_y >= least_ratio * b.scale_y;
}

bool is_faithful(const made_variant& kept, bool lossy) {
  if (kept.format == image_format::png)
    return true;
  return lossy && kept.quality >= least_quality;
}

/// Its pixels are the source's, scaled.
bool is_plain(const image_options& o) {
  return o.blur <= 0 && o.sharpen <= 0 && o.pixelate == 0 && !o.watermark;
}

/// It says nothing of the source beyond size and pixels.
bool is_ordinary(const image_options& o) {
  return !o.raw && o.skip.empty() && !o.trim && o.strip_profile
         && o.max_source_pixels == 0 && o.max_source_bytes == 0;
}

bool is_whole(const image_geometry& of) {
  return of.cut == of.scaled && of.result == of.cut;
}

double area_of(const image_geometry& of) {
  return of.scale_x * of.scale_y;
}

} // namespace

std::vector<derivation>
derivations_of(std::span<const image_options> outputs,
               std::span<const image_geometry> geometries) {
  std::vector<derivation> made(outputs.size());
  for (std::size_t b = 0; b < outputs.size(); ++b) {
    if (outputs[b].raw)
      continue;
    for (std::size_t a = 0; a < outputs.size(); ++a) {
      if (a == b || outputs[a].raw || !is_twice(geometries[a], geometries[b])
          || !has_same_region(outputs[a], geometries[a], outputs[b],
                              geometries[b]))
        continue;
      const auto now = made[b].from;
      if (now < 0
          || area_of(geometries[a])
               < area_of(geometries[static_cast<std::size_t>(now)]))
        made[b].from = static_cast<std::int32_t>(a);
    }
    if (made[b].from >= 0)
      made[static_cast<std::size_t>(made[b].from)].feeds = true;
  }
  return made;
}

bool can_feed(const image_facts& source, const made_variant& kept,
              const image_options& wanted, bool lossy) {
  const auto& o = kept.options;
  if (source.frames != 1 || !is_faithful(kept, lossy) || !is_plain(o)
      || !is_ordinary(o) || !is_ordinary(wanted) || is_smart(o)
      || o.strip_metadata != wanted.strip_metadata
      || o.keep_copyright != wanted.keep_copyright)
    return false;
  if (source.alpha && (o.background || !keeps_alpha(kept.format)))
    return false;
  const pixel_size stored{static_cast<int>(source.width),
                          static_cast<int>(source.height)};
  const auto of_kept = geometry_of(stored, source.orientation, o);
  const auto of_wanted = geometry_of(stored, source.orientation, wanted);
  return is_twice(of_kept, of_wanted) && is_whole(of_kept)
         && of_kept.turned == of_wanted.turned
         && has_same_region(o, of_kept, wanted, of_wanted);
}

image_geometry geometry_within(pixel_size image, image_geometry by) {
  by.stored = image;
  by.region = {0, 0, image.width, image.height};
  by.turned = {};
  by.scale_x = static_cast<double>(by.scaled.width) / image.width;
  by.scale_y = static_cast<double>(by.scaled.height) / image.height;
  return by;
}

std::vector<std::size_t> making_order(std::span<const derivation> derivations) {
  std::vector<std::size_t> order;
  std::vector<bool> made(derivations.size());
  while (order.size() < derivations.size())
    for (std::size_t i = 0; i < derivations.size(); ++i) {
      const auto from = derivations[i].from;
      if (made[i] || (from >= 0 && !made[static_cast<std::size_t>(from)]))
        continue;
      made[i] = true;
      order.push_back(i);
    }
  return order;
}

int load_shrink(std::span<const image_geometry> geometries) {
  int best = 8;
  for (const auto& each : geometries) {
    const double shrink = 1 / std::max(each.scale_x, each.scale_y);
    const bool is_part =
      each.region != pixel_box{0, 0, each.stored.width, each.stored.height};
    const auto least = is_part ? least_left_of_part : least_left;
    while (best > 1 && shrink < least * best)
      best /= 2;
  }
  return best;
}

} // namespace troupe::media
