#pragma once

#include "actors/gateway.hpp"
#include "actors/job_ref.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What happens to jobs, and how it is told; plain structs, no CAF.
namespace troupe::actors {

enum class job_event_type : std::uint8_t {
  created,
  queued,
  started,
  progress,
  retrying,
  cancelling,
  succeeded,
  failed,
  cancelled,
  paused,
  resumed,
  batch_progress,
  batch_finished,
  queue_stats,
  node_joined,
  node_lost,
  node_load,
  alert_raised,
  alert_cleared,
  stream_created,
  stream_health,
  stream_quality,
  stream_recovered,
  stream_closed,
};

/// A stored change of a job's state.
struct job_event {
  job_event_type type = job_event_type::created;
  timestamp_ms time = 0;
  job_ref job; ///< after the change
};

/// Something that happened to what is no job.
struct subject_event {
  job_event_type type = job_event_type::batch_progress;
  timestamp_ms time = 0;
  std::string topic;
  std::string id;   ///< of the subject
  std::string data; ///< JSON object
};

struct event_batch {
  std::vector<job_event> events;
  std::vector<subject_event> subjects = {};
};

/// A running attempt's newest progress.
struct progress_report {
  std::string id;
  std::string queue;
  std::uint64_t epoch = 0; ///< of the claim
  media::progress now;
};

/// Where one topic's log stands for a new subscriber, and what it missed.
struct topic_start {
  std::string topic;
  std::string epoch;
  std::uint64_t offset = 0; ///< of the newest event
  bool recovered = false;   ///< `missed` is everything since the request's
  std::vector<frame_ptr> missed;
};

/// Events of one topic, in order; shared by all its subscribers.
struct topic_events {
  std::string topic;
  std::vector<frame_ptr> frames;
};

} // namespace troupe::actors
