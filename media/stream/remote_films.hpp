#pragma once

#include "media/egress/proxy.hpp"
#include "media/fetch/range_fetcher.hpp"
#include "media/fetch/remote_source.hpp"
#include "media/stream/source.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace troupe::media {

/// Sources of streams that are read over HTTP, by ranges. Thread-safe.
/// Invariant: `open_` holds at most `most_open`, each of one version.
class remote_films {
public:
  using heard = std::function<void(result<source_ptr>)>;

  remote_films(runtime& threads, range_fetcher& fetcher, egress_proxy& proxy)
    : threads_(threads), fetcher_(fetcher), proxy_(proxy) {}

  /// Reads its start. Its identity is its URL, length and validator.
  ///   source_unavailable  also where its server knows no ranges
  void open(std::string url, heard done);

  /// For a child; the same one while it is not closed. @pre it has a URL
  [[nodiscard]] std::shared_ptr<remote_source>
  reader_of(const stream_source& source);

  /// Reading it has failed: the next reader begins anew.
  void close(const stream_source& source);

private:
  static constexpr std::size_t most_open = 64;

  [[nodiscard]] std::shared_ptr<remote_source> make(const std::string& url);

  runtime& threads_;
  range_fetcher& fetcher_;
  egress_proxy& proxy_;
  std::mutex mutex_;
  std::unordered_map<cache_key, std::shared_ptr<remote_source>> open_;
};

} // namespace troupe::media
