#include "actors/topic.hpp"
#include "net/event_stream.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <unordered_set>

namespace troupe::net {

namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == text.npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

/// A name that stands again counts where it stood first.
std::vector<std::string_view> distinct(std::vector<std::string_view> names) {
  std::unordered_set<std::string_view> seen;
  std::erase_if(names,
                [&seen](auto name) { return !seen.insert(name).second; });
  return names;
}

bool read_offset(std::string_view text, std::uint64_t& out) {
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  return error == std::errc{} && at == end;
}

/// `{epoch}:{offset}[,{offset}…]`, one offset per topic.
bool read_event_id(std::string_view id,
                   std::vector<actors::topic_request>& topics) {
  const auto colon = id.find(':');
  if (colon == 0 || colon > 64 || colon == id.npos)
    return false;
  const auto offsets = split(id.substr(colon + 1), ',');
  if (offsets.size() != topics.size())
    return false;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    topics[i].epoch = id.substr(0, colon);
    if (!read_offset(offsets[i], topics[i].offset))
      return false;
  }
  return true;
}

} // namespace

result<std::vector<actors::topic_request>>
read_stream_request(std::string_view topics, std::string_view last_event_id) {
  using actors::errc;
  if (topics.empty())
    return fail(errc::bad_topic, "must name a topic");
  std::vector<actors::topic_request> wishes;
  const auto names = distinct(split(topics, ','));
  if (names.size() > max_stream_topics)
    return fail(errc::bad_topic,
                "must name at most " + std::to_string(max_stream_topics)
                  + " topics, and names " + std::to_string(names.size()));
  for (const auto name : names) {
    if (!actors::parse_topic(name))
      return fail(errc::bad_topic,
                  "names \"" + std::string{name} + "\", which is no topic");
    wishes.push_back({std::string{name}, {}, 0});
  }
  if (!last_event_id.empty() && !read_event_id(last_event_id, wishes))
    return fail(std::errc::invalid_argument,
                "Last-Event-ID must be {epoch}:{offset}, with an offset for "
                "each of the topics");
  return wishes;
}

} // namespace troupe::net
