#pragma once

#include "config/result.hpp"
#include "config/settings.hpp"
#include "media/child/children.hpp"
#include "media/egress/address_guard.hpp"
#include "media/egress/proxy.hpp"
#include "media/errc.hpp"
#include "media/image/video.hpp"
#include "media/imaging/accept.hpp"
#include "media/imaging/work.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::config {
class metrics;
}

namespace troupe::media {

/// What settings add to the grammar of options.
[[nodiscard]] option_rules rules_of(const config::image_settings& settings);

/// An image that is asked for.
struct image_query {
  image_options options;
  std::string source; ///< `local:///…`, `http(s)://…`, `job:ID`
  /// What is there already; then the source means nothing.
  std::shared_ptr<const image_input> input = {};
  /// What the request takes, where its URL names no format.
  accepted_formats accepted;
  bool hurry = true;           ///< somebody waits
  std::string job_result = {}; ///< of a source `job:ID`: what it has come to
};

/// Either is set.
struct image_found {
  cached_ptr image;
  bool stale = false; ///< its source is being looked at again
  work_ptr work;      ///< it has to be made
};
/// Heard once, on a thread of the service; returns at once.
using image_heard = std::function<void(result<image_found>)>;

/// What image work stands on; everything outlives the service.
struct image_parts {
  const config::image_settings& settings;
  const config::library_settings& library;
  const config::sandbox_settings& sandbox;
  const address_guard& guard;
  egress_proxy& proxy;
  codec_children& children;
  config::metrics& metrics;
};

/// Counts for `GET /v1/images/stats`, since the start.
struct image_figures {
  cache_figures memory;
  cache_figures disk;
  std::uint64_t hits = 0; ///< in memory or on disk
  std::uint64_t disk_hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t stale = 0;
  std::uint64_t denied = 0; ///< failures told again
  std::uint64_t fetches = 0;
  std::uint64_t derived = 0; ///< works whose source is an image that was kept
  double saved_ms = 0;       ///< of work that hits made needless
};

/// Images asked for by URL: what is there already, what has to be made, and
/// where what was made is kept. Thread-safe; no call blocks but `open`.
class image_service {
public:
  /// Opens the cache; one that cannot be opened is done without, with a line
  /// in the log.
  [[nodiscard]] static std::unique_ptr<image_service> open(image_parts parts);
  virtual ~image_service() = default;

  /// What the settings add to the grammar of options.
  [[nodiscard]] virtual const option_rules& rules() const = 0;

  /// Looks at the source and into the cache. Fetches a remote source, which
  /// takes no longer than `images.timeout_s`.
  ///   source_not_found, source_forbidden, source_unavailable, invalid_media,
  ///   bad_params, too_large, poison_source, or what was told before
  virtual void find(image_query query, image_heard heard) = 0;

  /// What was made meanwhile: in memory, or null. The work's tags are noted.
  virtual cached_ptr recall(const image_work& work) = 0;

  /// Keeps what was made, in memory at once.
  ///   source_changed  while it was read
  /// @param source what its header says
  [[nodiscard]] virtual result<cached_ptr>
  keep(const image_work& work, image_made made, const image_facts& source) = 0;

  /// What failed is told again for a while.
  virtual void deny(const image_work& work, const failure& why) = 0;

  /// A child died of it. True if its source is refused from now on.
  virtual bool crashed(const image_work& work) = 0;

  /// One task for images of one source. @pre there is one, and all have the
  /// same feed or none
  [[nodiscard]] virtual child_task
  compose(const std::vector<work_ptr>& works,
          std::chrono::milliseconds limit) const = 0;

  /// One task for what is wished of a video (media/image/video).
  [[nodiscard]] virtual child_task
  compose_video(const image_input& input, std::vector<video_wish> wishes,
                std::chrono::milliseconds limit) const = 0;

  /// @param batch at nice 10
  /// @param sets_text it sees fonts; works that say so need one
  [[nodiscard]] virtual std::unique_ptr<codec_child>
  open_child(bool batch, bool sets_text) = 0;

  /// Empties what `order` meets, and forgets what is known of such remote
  /// sources; hears how many went. A source's mark is `source_mark`.
  virtual void purge(purge_order order,
                     std::function<void(result<std::uint64_t>)> heard) = 0;

  [[nodiscard]] virtual image_figures figures() const = 0;
};

} // namespace troupe::media
