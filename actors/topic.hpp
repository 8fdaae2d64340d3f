#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::actors {

/// What a topic is about.
enum class topic_kind : std::uint8_t {
  job,
  batch,
  queue,
  owner,
  stream,
  jobs,
  streams,
  nodes,
  alerts,
};

/// A topic's name taken apart: `job:01J…` is kind `job`, subject `01J…`.
struct topic_name {
  topic_kind kind = topic_kind::jobs;
  std::string_view subject; ///< empty for kinds that have none
};

/// Empty for a name that no topic can have: of an unknown kind, or with a
/// subject that is no id. Whether there is such a subject is not asked.
[[nodiscard]] std::optional<topic_name> parse_topic(std::string_view name);

/// The topic of that kind; see `topic_name`.
[[nodiscard]] std::string topic_of(topic_kind kind, std::string_view subject);
/// The same in place of what `name` holds.
void write_topic(std::string& name, topic_kind kind, std::string_view subject);

} // namespace troupe::actors
