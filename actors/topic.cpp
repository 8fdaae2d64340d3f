#include "actors/topic.hpp"

#include <algorithm>
#include <array>

namespace troupe::actors {

namespace {

constexpr std::size_t max_subject = 256;
constexpr std::size_t max_id = 64;

/// In the order of `topic_kind`.
constexpr std::array<std::string_view, 9> spellings{
  "job:", "batch:",  "queue:", "owner:", "stream:",
  "jobs", "streams", "nodes",  "alerts"};

bool takes_subject(std::string_view spelling) {
  return spelling.back() == ':';
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= max_subject
         && std::ranges::none_of(text, [](char c) {
              return static_cast<unsigned char>(c) < 0x21 || c == 0x7F;
            });
}

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= max_id
         && std::ranges::all_of(text, [](char c) {
              return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
                     || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
            });
}

/// Jobs, batches and streams have ids, queues and owners have names.
bool is_subject(topic_kind kind, std::string_view text) {
  const bool named = kind == topic_kind::queue || kind == topic_kind::owner;
  return named ? is_name(text) : is_id(text);
}

} // namespace

std::optional<topic_name> parse_topic(std::string_view name) {
  for (std::size_t i = 0; i < spellings.size(); ++i) {
    const auto spelling = spellings[i];
    const auto kind = static_cast<topic_kind>(i);
    if (!takes_subject(spelling)) {
      if (name == spelling)
        return topic_name{kind, {}};
    } else if (name.starts_with(spelling)) {
      const auto subject = name.substr(spelling.size());
      if (is_subject(kind, subject))
        return topic_name{kind, subject};
    }
  }
  return std::nullopt;
}

std::string topic_of(topic_kind kind, std::string_view subject) {
  std::string name;
  write_topic(name, kind, subject);
  return name;
}

void write_topic(std::string& name, topic_kind kind, std::string_view subject) {
  name.assign(spellings[static_cast<std::size_t>(kind)]).append(subject);
}

} // namespace troupe::actors
