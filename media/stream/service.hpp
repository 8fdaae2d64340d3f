#pragma once

#include "config/settings.hpp"
#include "media/av/task.hpp"
#include "media/cache/cached.hpp"
#include "media/child/children.hpp"
#include "media/egress/proxy.hpp"
#include "media/stream/signer.hpp"
#include "media/stream/source.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace troupe::media {

class bad_sources;
class range_fetcher;

/// What is kept of streams; stored with it.
enum class stream_part : std::uint8_t { index, init, segment, subtitles };

/// Where what was made stays. Copies are made again faster than a disk is
/// read, so they stay in memory alone.
enum class stream_keep : std::uint8_t { memory, disk };

using source_heard = std::function<void(result<source_ptr>)>;
/// Null: it is not there.
using cached_heard = std::function<void(cached_ptr)>;

/// What streams stand on; everything outlives the service.
struct stream_parts {
  const config::settings& settings;
  runtime& threads;
  egress_proxy& proxy;
  range_fetcher& fetcher;
  codec_children& children;
  bad_sources& bad;
};

struct stream_figures {
  cache_figures memory;
  cache_figures disk;
};

/// Sources of streams, children to read them, and what they have made, kept in
/// memory and on disk under budgets. Thread-safe; no call blocks but `open`.
class stream_service {
public:
  /// A cache that cannot be opened is done without, with a line in the log;
  /// a key that cannot be kept is an error.
  [[nodiscard]] static result<std::unique_ptr<stream_service>>
  open(stream_parts parts);
  virtual ~stream_service() = default;

  [[nodiscard]] virtual const stream_signer& signer() const = 0;

  /// Looks at a source and opens it.
  ///   source_not_found, source_forbidden, source_unavailable, invalid_media,
  ///   bad_params, poison_source
  /// @param job_result of a source `job:ID`
  virtual void open_source(std::string source, std::string job_result,
                           source_heard heard) = 0;

  /// What is in memory, or null.
  [[nodiscard]] virtual cached_ptr recall(const cache_key& key) = 0;
  /// What is in memory or on disk; heard on a thread of the service.
  virtual void look_up(const cache_key& key, cached_heard heard) = 0;

  /// Keeps it, in memory at once; what is on its way to the disk is bounded.
  /// @param cost_ms of making it
  virtual cached_ptr keep(const cache_key& key, stream_part part,
                          std::string bytes, double cost_ms,
                          stream_keep where) = 0;

  /// A task for a lasting child. @param stall without a sign of life
  [[nodiscard]] virtual child_task compose(const stream_source& source,
                                           av_order order,
                                           std::chrono::milliseconds stall) = 0;

  [[nodiscard]] virtual std::unique_ptr<codec_child>
  open_child(child_rank rank) = 0;

  /// Reading it has failed: the next task reads it anew.
  virtual void renew(const stream_source& source) = 0;

  /// A child died of it. True if it is refused from now on.
  virtual bool crashed(const stream_source& source) = 0;

  [[nodiscard]] virtual stream_figures figures() const = 0;
};

} // namespace troupe::media
