#pragma once

#include "actors/events.hpp"
#include "actors/gateway.hpp"

#include <string>
#include <string_view>

/// Frames as clients read them; see "Events" in the API document.
namespace troupe::actors {

/// `job.created`, …
[[nodiscard]] std::string_view name_of(job_event_type type) noexcept;

/// The `data` of a stored change: the whole job. One line.
[[nodiscard]] std::string data_of(const store::job& job);

/// The `data` of progress: `{"id": …, "progress": …}`.
[[nodiscard]] std::string data_of(std::string_view id,
                                  const media::progress& progress);

/// What all events have in common, and where one stands in its topic's log.
struct event_head {
  std::string_view topic;
  std::string_view epoch;
  std::uint64_t offset = 0;
  job_event_type type = job_event_type::created;
  timestamp_ms time = 0;
  std::string_view subject;
};

/// `{"op":"event",…}`; `data` is spliced in.
[[nodiscard]] frame_ptr event_frame(const event_head& head,
                                    std::string_view data);

/// `{"op":"subscribed",…}`; `snapshot` is JSON.
/// @param id JSON, or empty for `null`
[[nodiscard]] frame_ptr subscribed_frame(std::string_view id,
                                         const topic_start& start,
                                         std::string_view snapshot);

[[nodiscard]] frame_ptr unsubscribed_frame(std::string_view id,
                                           std::string_view topic);

/// `{"op":"error",…}`; `topic` may be empty.
[[nodiscard]] frame_ptr error_frame(std::string_view id, std::string_view code,
                                    std::string_view detail,
                                    std::string_view topic);

} // namespace troupe::actors
