#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <string>

namespace troupe::store {

/// What is to be told to a `callback_url`: the end of a job or of a batch. It
/// is stored in the transition that it tells of, and goes with its job, which
/// retention does not forget before it was delivered or given up.
struct callback {
  std::string id;      ///< of the event, always the same for the same end
  std::string subject; ///< id of the job or batch
  std::string url;
  std::string type;    ///< "job.succeeded", …, "batch.finished"
  std::string payload; ///< JSON: `{"id", "type", "time", "data"}`
  timestamp_ms created_at = 0;
  timestamp_ms due_at = 0;    ///< next try; 0: it was given up
  std::uint32_t attempts = 0; ///< that have failed
  std::string error;          ///< of the last of them
  std::uint64_t token = 0;    ///< of who delivers it now

  bool operator==(const callback&) const = default;
};

enum class callback_outcome : std::uint8_t {
  delivered, ///< it is forgotten
  retry,     ///< again after `retry_after_ms`
  dead,      ///< kept as a dead letter, see `job_store::dead_callbacks`
};

struct callback_settlement {
  std::string id;
  std::uint64_t token = 0; ///< as it was taken
  callback_outcome outcome = callback_outcome::delivered;
  std::int64_t retry_after_ms = 0;
  std::string error;
};

} // namespace troupe::store
