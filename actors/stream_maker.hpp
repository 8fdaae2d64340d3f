#pragma once

#include "actors/stream_messages.hpp"
#include "media/child/children.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace troupe::config {
class metrics;
}

namespace troupe::media {
class stream_service;
}

namespace troupe::actors {

/// What makers of segments stand on; outlives them.
struct maker_parts {
  media::stream_service* streams = nullptr;
  config::metrics* metrics = nullptr; ///< null: nobody counts
  std::chrono::milliseconds stall{2'000};
};

/// The name that a source's index is kept by.
[[nodiscard]] media::cache_key index_key(const media::stream_source& source,
                                         bool scanned);

/// What is kept of a piece of work, as it is told; nothing if it is not in
/// memory.
[[nodiscard]] std::optional<made_segment> recall(media::stream_service& streams,
                                                 const segment_work& work);

/// A child that makes one thing after the other, for the actor that owns it.
/// A child that dies, or stands still, is replaced, and what it was at is tried
/// again; each try has twice the patience of the last. One that was killed from
/// outside is replaced more often, and nobody is blamed.
/// Invariant: `work_` is set from `begin` until `settle` tells an outcome.
class maker_child {
public:
  /// Heard on a thread of media; returns at once.
  using ended = std::function<void(std::shared_ptr<media::child_end>)>;

  maker_child(maker_parts parts, media::child_rank rank);

  /// @pre nothing is under way
  void begin(segment_work work, ended heard);
  /// What has become of it; nothing: it is tried again.
  [[nodiscard]] std::optional<result<made_segment>>
  settle(media::child_end& end);
  [[nodiscard]] bool is_busy() const {
    return work_.has_value();
  }
  [[nodiscard]] const segment_work& work() const {
    return *work_;
  }

private:
  using clock = std::chrono::steady_clock;
  void run();
  [[nodiscard]] bool try_again(media::errc code);
  [[nodiscard]] result<made_segment> keep(media::child_end& end);
  [[nodiscard]] result<made_segment> keep_index(media::child_end& end);
  [[nodiscard]] double took_ms() const;

  const maker_parts parts_;
  std::unique_ptr<media::codec_child> child_;
  std::optional<segment_work> work_;
  ended heard_;
  std::uint32_t tries_ = 0; ///< beyond the first
  std::uint32_t kills_ = 0; ///< of its children, from outside
  clock::time_point began_;
};

} // namespace troupe::actors
