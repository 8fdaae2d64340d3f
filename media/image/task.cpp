#include "media/image/task.hpp"

#include "media/image/read_ours.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>

namespace troupe::media {

namespace {

namespace json = boost::json;

constexpr std::size_t length_size = 8;

/// A member that must be there; throws what `read` catches.
template <class T>
T take(const json::object& from, std::string_view name) {
  return from.at(name).to_number<T>();
}

std::string take_text(const json::object& from, std::string_view name) {
  return json::value_to<std::string>(from.at(name));
}

image_format take_format(const json::object& from, std::string_view name) {
  return format_named(take_text(from, name));
}

json::object write_limits(const image_limits& limits) {
  return {{"bytes", limits.bytes},
          {"pixels", limits.pixels},
          {"all_pixels", limits.all_pixels},
          {"frames", limits.frames},
          {"result_side", limits.result_side},
          {"result_pixels", limits.result_pixels},
          {"result_bytes", limits.result_bytes}};
}

image_limits read_limits(const json::object& from) {
  image_limits limits;
  limits.bytes = take<std::uint64_t>(from, "bytes");
  limits.pixels = take<std::uint64_t>(from, "pixels");
  limits.all_pixels = take<std::uint64_t>(from, "all_pixels");
  limits.frames = take<std::uint32_t>(from, "frames");
  limits.result_side = take<std::uint32_t>(from, "result_side");
  limits.result_pixels = take<std::uint64_t>(from, "result_pixels");
  limits.result_bytes = take<std::uint64_t>(from, "result_bytes");
  return limits;
}

json::object write_facts(const image_facts& facts) {
  return {{"format", name_of(facts.format)},  {"width", facts.width},
          {"height", facts.height},           {"frames", facts.frames},
          {"orientation", facts.orientation}, {"alpha", facts.alpha},
          {"progressive", facts.progressive}};
}

image_facts read_facts(const json::object& from) {
  image_facts facts;
  facts.format = take_format(from, "format");
  facts.width = take<std::uint32_t>(from, "width");
  facts.height = take<std::uint32_t>(from, "height");
  facts.frames = take<std::uint32_t>(from, "frames");
  facts.orientation = take<int>(from, "orientation");
  facts.alpha = from.at("alpha").as_bool();
  facts.progressive = from.at("progressive").as_bool();
  return facts;
}

image_order read_order(const json::object& from) {
  image_order order;
  order.asks = from.at("asks").as_bool();
  order.source_size = take<std::int64_t>(from, "source_size");
  order.has_watermark = from.at("has_watermark").as_bool();
  order.mark_text = take_text(from, "mark_text");
  order.analyse = from.at("analyse").as_bool();
  order.hurry = from.at("hurry").as_bool();
  order.lenient = from.at("lenient").as_bool();
  option_rules any;
  any.has_watermark = true;
  for (const auto& text : from.at("outputs").as_array())
    order.outputs.push_back(
      parse_options(std::string_view{text.as_string()}, any).value());
  order.readable.clear();
  for (const auto& name : from.at("readable").as_array())
    order.readable.push_back(format_named(name.as_string()));
  order.limits = read_limits(from.at("limits").as_object());
  if (const auto* facts = from.at("made_of").if_object())
    order.made_of = read_facts(*facts);
  return order;
}

json::object write_made(const image_made& made) {
  return {{"code", static_cast<int>(made.code)},
          {"message", made.message},
          {"format", name_of(made.format)},
          {"width", made.width},
          {"height", made.height},
          {"frames", made.frames},
          {"quality", made.quality},
          {"made_from", made.made_from},
          {"made_ms", made.made_ms},
          {"size", made.bytes.size()}};
}

image_made read_made(const json::object& from, std::string_view& bytes) {
  image_made made;
  made.code = static_cast<errc>(take<std::uint8_t>(from, "code"));
  made.message = take_text(from, "message");
  made.format = take_format(from, "format");
  made.width = take<std::uint32_t>(from, "width");
  made.height = take<std::uint32_t>(from, "height");
  made.frames = take<std::uint32_t>(from, "frames");
  made.quality = take<int>(from, "quality");
  made.made_from = take<std::int32_t>(from, "made_from");
  made.made_ms = take<double>(from, "made_ms");
  const auto size = take<std::size_t>(from, "size");
  made.bytes = bytes.substr(0, size);
  bytes.remove_prefix(std::min(size, bytes.size()));
  if (made.bytes.size() != size)
    throw std::out_of_range{"bytes"};
  return made;
}

} // namespace

std::string encode_image_order(const image_order& order) {
  json::array outputs;
  for (const auto& each : order.outputs)
    outputs.emplace_back(canonical_text(each));
  json::array readable;
  for (const auto format : order.readable)
    readable.emplace_back(name_of(format));
  json::value made_of;
  if (order.made_of)
    made_of = write_facts(*order.made_of);
  return json::serialize(json::object{{"asks", order.asks},
                                      {"made_of", std::move(made_of)},
                                      {"source_size", order.source_size},
                                      {"has_watermark", order.has_watermark},
                                      {"mark_text", order.mark_text},
                                      {"outputs", std::move(outputs)},
                                      {"analyse", order.analyse},
                                      {"hurry", order.hurry},
                                      {"lenient", order.lenient},
                                      {"readable", std::move(readable)},
                                      {"limits", write_limits(order.limits)}});
}

result<image_order> read_image_order(std::string_view params) {
  return read_ours(errc::bad_params,
                   [&] { return read_order(json::parse(params).as_object()); });
}

std::string encode_image_result(const image_result& made) {
  json::array outputs;
  std::size_t size = 0;
  for (const auto& each : made.outputs) {
    outputs.push_back(write_made(each));
    size += each.bytes.size();
  }
  const auto head =
    json::serialize(json::object{{"source", write_facts(made.source)},
                                 {"outputs", std::move(outputs)},
                                 {"analysis", made.analysis},
                                 {"header_ms", made.header_ms},
                                 {"total_ms", made.total_ms}});
  std::string text;
  text.reserve(length_size + head.size() + size);
  for (std::size_t i = 0; i < length_size; ++i)
    text += static_cast<char>(head.size() >> 8 * i & 0xff);
  text += head;
  for (const auto& each : made.outputs)
    text += each.bytes;
  return text;
}

result<image_result> read_image_result(std::string_view bytes) {
  return read_ours(errc::internal, [&] {
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < length_size; ++i)
      length |= std::uint64_t{static_cast<std::uint8_t>(
                  std::string{bytes.substr(0, length_size)}.at(i))}
                << 8 * i;
    const auto head =
      json::parse(bytes.substr(length_size, length)).as_object();
    auto rest = bytes.substr(std::min(length_size + length, bytes.size()));
    image_result made;
    made.source = read_facts(head.at("source").as_object());
    for (const auto& each : head.at("outputs").as_array())
      made.outputs.push_back(read_made(each.as_object(), rest));
    made.analysis = take_text(head, "analysis");
    made.header_ms = take<double>(head, "header_ms");
    made.total_ms = take<double>(head, "total_ms");
    return made;
  });
}

} // namespace troupe::media
