#pragma once

#include "actors/event_log.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What an event log is made of; for its own sources alone.
namespace troupe::actors {

/// What an entry of a map or list costs beside its value, about.
inline constexpr std::size_t node_bytes = 48;
/// A pointer in a vector that may be half empty.
inline constexpr std::size_t entry_bytes = 16;

/// Heap bytes of a string, with the allocator's own.
[[nodiscard]] inline std::size_t footprint_of(const std::string& text) {
  return text.capacity() < sizeof(std::string) / 2 ? 0 : text.capacity() + 17;
}

/// How the data of an event lies in `body::data`.
enum class data_form : std::uint8_t {
  packed_job,      ///< by `store::pack_job`
  packed_progress, ///< by `store::pack_progress`
  json,            ///< since somebody listens, or has
};

/// One event. A job takes a quarter packed of what it takes as it is, and
/// one allocation: most events are forgotten without ever being read.
struct event_log::body {
  std::array<topic*, 5> topics{}; ///< that hold it
  job_event_type type = job_event_type::created;
  data_form form = data_form::json;
  std::uint32_t bytes = 0; ///< as charged
  timestamp_ms time = 0;
  std::string id;
  std::string data;
};

/// Whether a job's progress counts.
enum class job_phase : std::uint8_t { unknown, running, idle };

struct event_log::topic {
  const std::string* name = nullptr;       ///< its key in `topics_`
  std::vector<body_list::iterator> events; ///< from `first` on
  std::size_t first = 0;
  std::uint64_t base = 0;
  std::uint32_t listeners = 0;
  bool of_job = false;
  bool over = false; ///< its job has ended
  job_phase phase = job_phase::unknown;
  std::uint64_t claim = 0; ///< epoch of the newest claim that is known
  std::size_t fresh = no_fresh;
  std::optional<clock::time_point> ends; ///< set exactly while in `ended_`
  std::list<topic*>::iterator in_ended;

  static constexpr std::size_t no_fresh = static_cast<std::size_t>(-1);

  std::size_t size() const noexcept {
    return events.size() - first;
  }
  std::uint64_t head() const noexcept {
    return base + size();
  }
  std::size_t footprint() const noexcept {
    return sizeof(topic) + footprint_of(*name) + node_bytes;
  }
};

} // namespace troupe::actors
