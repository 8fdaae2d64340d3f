#pragma once

#include "config/settings.hpp"
#include "media/cache/cached.hpp"
#include "media/egress/address_guard.hpp"
#include "media/egress/proxy.hpp"
#include "media/fetch/range_fetcher.hpp"
#include "media/imaging/remote_record.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::media {

/// What a fetch brought. No bytes: it is what it was (304).
struct remote_fetched {
  remote_record record;
  std::shared_ptr<const std::string> bytes;
};
using fetched_heard = std::function<void(result<remote_fetched>)>;

/// Remote sources of images: what they were when they were last looked at, and
/// fetching them, one fetch a source at a time. Thread-safe.
/// Invariant: a URL is in `under_way_` from the first who asks until its fetch
/// is done or was forgotten; only what is there is remembered.
class remote_images {
public:
  remote_images(const config::image_settings& settings,
                const address_guard& guard, egress_proxy& proxy,
                range_fetcher& fetcher);

  /// What is known and may be served; `stale`: it should be looked at again.
  struct known {
    remote_record record;
    bool stale = false;
  };
  [[nodiscard]] std::optional<known>
  find(const std::string& url, freshness_rules::clock::time_point now) const;

  /// Something is known of it, however old.
  [[nodiscard]] bool knows(const std::string& url) const;

  /// Takes what was known before a restart; nothing if something is known.
  void restore(const std::string& url, const remote_record& record);

  /// Fetches it, on condition that it has changed unless `anew`. Heard on a
  /// thread of the fetcher; returns at once there.
  void fetch(const std::string& url, bool anew, fetched_heard heard);

  /// Those that a purge meets are fetched again by whoever asks next, also
  /// where a fetch is under way. A tag meets all.
  void forget(const purge_order& order);

  /// Fetches so far, 304 included.
  [[nodiscard]] std::uint64_t fetches() const;

private:
  struct flight {
    std::uint64_t mark = 0; ///< `source_mark` of its URL
    std::vector<fetched_heard> waiting;
  };
  using flight_ptr = std::shared_ptr<flight>;
  struct entry {
    remote_record record;
    std::uint64_t mark = 0;
  };

  [[nodiscard]] range_request request_of(const std::string& url, bool anew);
  [[nodiscard]] result<remote_fetched>
  judge(const std::string& url, range_answer answer, const egress_report& seen);
  void settle(const std::string& url, const flight_ptr& done,
              const result<remote_fetched>& outcome);

  static constexpr std::size_t most_records = 50'000;

  const std::uint64_t max_bytes_;
  const std::chrono::milliseconds limit_;
  const freshness_rules rules_;
  const address_guard& guard_;
  egress_proxy& proxy_;
  range_fetcher& fetcher_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, entry> records_;
  std::unordered_map<std::string, flight_ptr> under_way_;
  std::uint64_t fetches_ = 0;
};

} // namespace troupe::media
