#include "media/stream/wish.hpp"

#include "media/errc.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace troupe::media {

namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> words{"auto", "direct", "remux",
                                                "transcode"};

json::value optional_number(const std::optional<std::uint32_t>& number) {
  // Braces would make an array.
  return number ? json::value(*number) : json::value(nullptr);
}

std::optional<std::uint32_t> number_or_none(const json::value& from) {
  if (from.is_null())
    return std::nullopt;
  return from.to_number<std::uint32_t>();
}

json::array list_of(const std::vector<std::string>& from) {
  json::array out;
  for (const auto& each : from)
    out.emplace_back(each);
  return out;
}

std::vector<std::string> words_of(const json::value& from) {
  std::vector<std::string> out;
  for (const auto& each : from.as_array())
    out.emplace_back(each.as_string());
  return out;
}

stream_wish wish_of(const json::object& from) {
  stream_wish out;
  out.source = from.at("source").as_string();
  out.mode = stream_mode_of(from.at("mode").as_string()).value();
  out.max_height = from.at("max_height").to_number<std::uint32_t>();
  out.max_bitrate = from.at("max_bitrate").to_number<std::uint64_t>();
  out.audio = number_or_none(from.at("audio"));
  out.subtitle = number_or_none(from.at("subtitle"));
  out.start_s = from.at("start_s").to_number<double>();
  out.priority = from.at("priority").to_number<int>();
  const auto& client = from.at("client").as_object();
  out.client.video = words_of(client.at("video"));
  out.client.audio = words_of(client.at("audio"));
  out.client.hdr = client.at("hdr").as_bool();
  return out;
}

} // namespace

std::string_view to_string(stream_mode mode) noexcept {
  return words[static_cast<std::size_t>(mode)];
}

std::optional<stream_mode> stream_mode_of(std::string_view word) {
  const auto at = std::ranges::find(words, word);
  if (at == words.end())
    return std::nullopt;
  return static_cast<stream_mode>(at - words.begin());
}

std::string encode_wish(const stream_wish& wish) {
  const json::object client{{"video", list_of(wish.client.video)},
                            {"audio", list_of(wish.client.audio)},
                            {"hdr", wish.client.hdr}};
  const json::object out{{"source", wish.source},
                         {"mode", to_string(wish.mode)},
                         {"max_height", wish.max_height},
                         {"max_bitrate", wish.max_bitrate},
                         {"audio", optional_number(wish.audio)},
                         {"subtitle", optional_number(wish.subtitle)},
                         {"start_s", wish.start_s},
                         {"priority", wish.priority},
                         {"client", client}};
  return json::serialize(out);
}

result<stream_wish> read_wish(std::string_view text) {
  boost::system::error_code error;
  const auto read = json::parse({text.data(), text.size()}, error);
  if (error || !read.is_object())
    return fail(errc::internal, "a stream's record cannot be read");
  try {
    return wish_of(read.get_object());
  } catch (const std::exception& why) {
    return fail(errc::internal, why.what());
  }
}

} // namespace troupe::media
