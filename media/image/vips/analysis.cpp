#include "media/image/vips/analysis.hpp"

#include "media/image/derivation.hpp"
#include "media/image/placeholders.hpp"
#include "media/image/vips/shape.hpp"
#include "media/plain_json.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <cstdio>
#include <vector>

namespace troupe::codec {

namespace {

namespace json = boost::json;
using namespace media;
using vips::VImage;

/// Sharpness depends on the size that it is measured at.
constexpr int measured_side = 512;
constexpr int hashed_side = 100;
constexpr int blurred_side = 32;
constexpr std::size_t most_tags = 100;
constexpr std::size_t longest_value = 200;

/// Holds the bytes that a view shows.
struct pixels {
  std::vector<std::uint8_t> bytes;
  rgba_view view;

  explicit pixels(VImage image) {
    if (!image.has_alpha())
      image = image.bandjoin(255.0);
    image = image.cast(VIPS_FORMAT_UCHAR).copy_memory();
    const auto* data = static_cast<const std::uint8_t*>(image.data());
    bytes.assign(
      data,
      data + std::size_t(image.width()) * std::size_t(image.height()) * 4);
    view = {image.width(), image.height(), bytes};
  }
};

VImage fit(const image_source& source, const VImage* larger, int side) {
  image_options options;
  options.width = side;
  options.height = side;
  const auto& facts = source.facts();
  const auto orientation = larger ? 1 : facts.orientation;
  const pixel_size stored = larger
                              ? pixel_size{larger->width(), larger->height()}
                              : pixel_size{static_cast<int>(facts.width),
                                           static_cast<int>(facts.height)};
  const auto by = geometry_of(stored, orientation, options);
  const auto shrink = load_shrink(std::array{by});
  auto image =
    scale_region(larger ? *larger : source.decode(shrink, 1), options, by);
  shape_memory none;
  return finish(image, options, by, image_format::png, nullptr, none)
    .copy_memory();
}

/// libvips tells `VALUE (VALUE, TYPE, …)`: the value alone, in ASCII.
std::string value_of(const VImage& image, const std::string& field) {
  std::string text = image.get_string(field.c_str());
  if (const auto end = text.find(" ("); end != text.npos)
    text.resize(end);
  text.resize(std::min(text.size(), longest_value));
  for (auto& each : text)
    if (each < ' ' || each > '~')
      each = '?';
  return text;
}

json::object exif_of(const VImage& image) {
  json::object tags;
  for (const auto& field : fields_of(image)) {
    constexpr std::string_view before = "exif-ifd";
    if (!field.starts_with(before) || tags.size() >= most_tags
        || image.get_typeof(field.c_str()) != VIPS_TYPE_REF_STRING)
      continue;
    const auto name = field.substr(field.find('-', before.size()) + 1);
    tags[name] = value_of(image, field);
  }
  return tags;
}

std::string hex_of(std::uint64_t hash) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx",
                static_cast<unsigned long long>(hash));
  return text.data();
}

json::object facts_of(const image_facts& facts) {
  const bool lies = facts.orientation >= 5;
  return {{"format", name_of(facts.format)},
          {"width", lies ? facts.height : facts.width},
          {"height", lies ? facts.width : facts.height},
          {"frames", facts.frames},
          {"orientation", facts.orientation},
          {"alpha", facts.alpha}};
}

std::string tell(const image_source& source) {
  auto told = facts_of(source.facts());
  told["exif"] = exif_of(source.decode(1, 1));
  const auto measured = fit(source, nullptr, measured_side);
  const pixels large{measured};
  const auto light = light_of(large.view);
  told["brightness"] = light.brightness;
  told["contrast"] = light.contrast;
  told["sharpness"] = light.sharpness;
  const auto hashed = fit(source, &measured, hashed_side);
  const pixels small{hashed};
  told["dominant_color"] = dominant_color_of(small.view);
  told["thumbhash"] = thumbhash_of(small.view);
  told["perceptual_hash"] = hex_of(perceptual_hash_of(small.view));
  const pixels tiny{fit(source, &hashed, blurred_side)};
  told["blurhash"] = blurhash_of(tiny.view);
  return media::plain_json(told);
}

} // namespace

result<std::string> analyse_image(const image_source& source) {
  try {
    return tell(source);
  } catch (const vips::VError&) {
    return fail(errc::invalid_media, take_vips_words());
  }
}

} // namespace troupe::codec
