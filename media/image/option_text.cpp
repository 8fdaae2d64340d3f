#include "media/image/option_arguments.hpp"

#include <charconv>

namespace troupe::media {

namespace {

using image_arguments::name_of;

std::string text_of(double value) {
  std::array<char, 32> room{};
  const auto end =
    std::to_chars(room.data(), room.data() + room.size(), value).ptr;
  return {room.data(), end};
}

std::string text_of(std::integral auto value) {
  return std::to_string(value);
}

std::string text_of(rgb_color color) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto part : {color.r, color.g, color.b}) {
    text += digits[part >> 4];
    text += digits[part & 15];
  }
  return text;
}

std::string text_of(const image_gravity& at) {
  std::string text{name_of(at.kind)};
  if (at.kind != gravity_kind::smart)
    text += ':' + text_of(at.x) + ':' + text_of(at.y);
  return text;
}

/// Writes what differs from the default.
class writer {
public:
  explicit writer(const image_options& options) : options_(options) {}

  std::string write() {
    write_size();
    write_place();
    write_looks();
    write_storage();
    write_limits();
    return std::move(text_);
  }

private:
  void put(std::string_view name, const std::string& arguments) {
    if (!text_.empty())
      text_ += '/';
    text_ += name;
    text_ += ':' + arguments;
  }

  template <class T>
  void put_unless(std::string_view name, T value, T otherwise) {
    if (value != otherwise)
      put(name, text_of(value));
  }

  void put_switch(std::string_view name, bool value, bool otherwise) {
    if (value != otherwise)
      put(name, value ? "1" : "0");
  }

  void put_extend(std::string_view name, const extend_rule& rule) {
    if (rule.on)
      put(name, "1:" + text_of(rule.at));
  }

  void write_size() {
    const auto& o = options_;
    if (o.resize != resize_kind::fit)
      put("rt", std::string{name_of(o.resize)});
    put_unless("w", o.width, 0);
    put_unless("h", o.height, 0);
    put_unless("mw", o.min_width, 0);
    put_unless("mh", o.min_height, 0);
    if (o.zoom_x != 1 || o.zoom_y != 1)
      put("z", text_of(o.zoom_x) + ':' + text_of(o.zoom_y));
    put_unless("dpr", o.dpr, 1.0);
    put_switch("el", o.enlarge, false);
    put_extend("ex", o.extend);
    put_extend("exar", o.extend_ratio);
  }

  void write_place() {
    const auto& o = options_;
    if (o.gravity != image_gravity{})
      put("g", text_of(o.gravity));
    if (o.crop != crop_rule{})
      put("c", text_of(o.crop.width) + ':' + text_of(o.crop.height)
                 + (o.crop.at ? ':' + text_of(*o.crop.at) : ""));
    if (o.trim)
      put("t", text_of(o.trim->threshold) + ':'
                 + (o.trim->color ? text_of(*o.trim->color) : "")
                 + (o.trim->equal_hor ? ":1" : ":0")
                 + (o.trim->equal_ver ? ":1" : ":0"));
    if (const auto& p = o.padding; p != padding_rule{})
      put("pd", text_of(p.top) + ':' + text_of(p.right) + ':'
                  + text_of(p.bottom) + ':' + text_of(p.left));
    put_switch("ar", o.auto_rotate, true);
    put_unless("rot", o.rotate, 0);
    if (o.flip_horizontal || o.flip_vertical)
      put("fl", text_of(int{o.flip_horizontal}) + ':'
                  + text_of(int{o.flip_vertical}));
  }

  void write_looks() {
    const auto& o = options_;
    if (o.background)
      put("bg", text_of(*o.background));
    put_unless("bl", o.blur, 0.0);
    put_unless("sh", o.sharpen, 0.0);
    put_unless("pix", o.pixelate, 0);
    if (const auto& w = o.watermark)
      put("wm", text_of(w->opacity) + ':'
                  + (w->repeat ? "re" : std::string{name_of(w->at.kind)}) + ':'
                  + text_of(w->at.x) + ':' + text_of(w->at.y) + ':'
                  + text_of(w->scale));
  }

  void write_storage() {
    const auto& o = options_;
    put_switch("sm", o.strip_metadata, true);
    put_switch("kcr", o.keep_copyright, true);
    put_switch("scp", o.strip_profile, true);
    if (o.format != image_format::none)
      put("f", std::string{media::name_of(o.format)});
    put_unless("q", o.quality, 0);
    std::string list;
    for (const auto& [format, quality] : o.format_quality)
      list += (list.empty() ? "" : ":") + std::string{media::name_of(format)}
              + ':' + text_of(quality);
    if (!list.empty())
      put("fq", list);
    put_unless("mb", o.max_bytes, std::uint64_t{0});
    write_exceptions();
  }

  void write_exceptions() {
    std::string list;
    for (const auto format : options_.skip)
      list += (list.empty() ? "" : ":") + std::string{media::name_of(format)};
    if (!list.empty())
      put("skp", list);
    put_switch("raw", options_.raw, false);
    if (!options_.cache_buster.empty())
      put("cb", options_.cache_buster);
  }

  void write_limits() {
    const auto& o = options_;
    const auto put_megapixels = [this](std::string_view name,
                                       std::uint64_t pixels) {
      if (pixels > 0)
        put(name, text_of(static_cast<double>(pixels) / 1e6));
    };
    put_megapixels("msr", o.max_source_pixels);
    put_unless("msfs", o.max_source_bytes, std::uint64_t{0});
    put_unless("maf", o.max_frames, std::uint32_t{0});
    put_megapixels("mafr", o.max_frame_pixels);
    put_unless("mrd", o.max_side, 0);
  }

  const image_options& options_;
  std::string text_;
};

} // namespace

std::string canonical_text(const image_options& options) {
  return writer{options}.write();
}

} // namespace troupe::media
