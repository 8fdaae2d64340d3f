#include "media/image/video.hpp"

#include "media/image/read_ours.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <array>
#include <cmath>
#include <cstdio>

namespace troupe::media {

namespace {

namespace json = boost::json;

std::string text_of(const json::value& from) {
  return json::value_to<std::string>(from);
}

json::object write_wish(const video_wish& wish) {
  return {{"view", static_cast<int>(wish.view)},
          {"at_s", json::value_from(wish.at_s)},
          {"count", wish.count},
          {"every_s", wish.every_s},
          {"columns", wish.columns},
          {"from_s", wish.from_s},
          {"length_s", wish.length_s},
          {"fps", wish.fps},
          {"options", canonical_text(wish.options)}};
}

video_wish read_wish(const json::object& from) {
  video_wish wish;
  wish.view =
    static_cast<video_view>(from.at("view").to_number<std::uint8_t>());
  wish.at_s = json::value_to<std::vector<double>>(from.at("at_s"));
  wish.count = from.at("count").to_number<std::uint32_t>();
  wish.every_s = from.at("every_s").to_number<double>();
  wish.columns = from.at("columns").to_number<std::uint32_t>();
  wish.from_s = from.at("from_s").to_number<double>();
  wish.length_s = from.at("length_s").to_number<double>();
  wish.fps = from.at("fps").to_number<double>();
  wish.options = parse_options(text_of(from.at("options")), {}).value();
  return wish;
}

json::object write_made(const video_made& made) {
  return {{"code", static_cast<int>(made.code)},
          {"message", made.message},
          {"images", made.images.size()},
          {"times", json::value_from(made.times)},
          {"columns", made.columns},
          {"tile_width", made.tile_width},
          {"tile_height", made.tile_height}};
}

video_made read_made(const json::object& from) {
  video_made made;
  made.code = static_cast<errc>(from.at("code").to_number<std::uint8_t>());
  made.message = text_of(from.at("message"));
  made.times = json::value_to<std::vector<double>>(from.at("times"));
  made.columns = from.at("columns").to_number<std::uint32_t>();
  made.tile_width = from.at("tile_width").to_number<std::uint32_t>();
  made.tile_height = from.at("tile_height").to_number<std::uint32_t>();
  return made;
}

std::string clock_of(double seconds) {
  const auto all = static_cast<long long>(std::llround(seconds * 1000));
  std::array<char, 32> text{};
  const auto size = std::snprintf(
    text.data(), text.size(), "%02lld:%02lld:%02lld.%03lld", all / 3'600'000,
    all / 60'000 % 60, all / 1000 % 60, all % 1000);
  return {text.data(), static_cast<std::size_t>(size)};
}

} // namespace

std::string encode_video_order(const video_order& order) {
  json::array wishes;
  for (const auto& each : order.wishes)
    wishes.push_back(write_wish(each));
  image_order limits;
  limits.limits = order.limits;
  return json::serialize(
    json::object{{"wishes", std::move(wishes)},
                 {"order", json::parse(encode_image_order(limits))}});
}

result<video_order> read_video_order(std::string_view params) {
  return read_ours(errc::bad_params, [&] {
    const auto from = json::parse(params).as_object();
    video_order order;
    for (const auto& each : from.at("wishes").as_array())
      order.wishes.push_back(read_wish(each.as_object()));
    order.limits =
      read_image_order(json::serialize(from.at("order"))).value().limits;
    return order;
  });
}

std::string encode_video_result(const video_result& made) {
  image_result all;
  json::array wishes;
  for (const auto& each : made.made) {
    wishes.push_back(write_made(each));
    all.outputs.insert(all.outputs.end(), each.images.begin(),
                       each.images.end());
  }
  all.analysis = json::serialize(json::object{{"duration_s", made.duration_s},
                                              {"wishes", std::move(wishes)}});
  return encode_image_result(all);
}

result<video_result> read_video_result(std::string_view bytes) {
  auto all = read_image_result(bytes);
  if (!all)
    return all.error();
  return read_ours(errc::internal, [&] {
    const auto from = json::parse(all->analysis).as_object();
    video_result out;
    out.duration_s = from.at("duration_s").to_number<double>();
    std::size_t next = 0;
    for (const auto& each : from.at("wishes").as_array()) {
      out.made.push_back(read_made(each.as_object()));
      auto left = each.at("images").to_number<std::size_t>();
      for (; left > 0; --left)
        out.made.back().images.push_back(std::move(all->outputs.at(next++)));
    }
    return out;
  });
}

std::string webvtt_of(const video_made& sprite, double duration_s,
                      std::string_view sheet) {
  std::string out = "WEBVTT\n";
  for (std::size_t i = 0; i < sprite.times.size(); ++i) {
    const auto begin = sprite.times[i];
    const auto end =
      i + 1 < sprite.times.size() ? sprite.times[i + 1] : duration_s;
    const auto left = i % sprite.columns * sprite.tile_width;
    const auto top = i / sprite.columns * sprite.tile_height;
    out.append("\n").append(clock_of(begin)).append(" --> ");
    out.append(clock_of(std::max(end, begin + 0.001))).append("\n");
    out.append(sheet).append("#xywh=");
    out += std::to_string(left) + ',' + std::to_string(top) + ','
           + std::to_string(sprite.tile_width) + ','
           + std::to_string(sprite.tile_height) + '\n';
  }
  return out;
}

} // namespace troupe::media
