#pragma once

#include "media/errc.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace troupe::media {

/// A part of a resource that is asked for, or all of it.
struct range_request {
  std::string url;   ///< http or https
  std::string proxy; ///< that of an egress account: it looks at addresses
  std::uint64_t offset = 0;
  std::size_t size = 0;  ///< > 0
  std::string validator; ///< of an earlier part: this one must be of the same
  /// All of it, if it has at most `size` bytes; then `offset` and `validator`
  /// mean nothing.
  bool whole = false;
  /// Of an earlier answer: 304 if it is the same still (RFC 9110, 13.1).
  std::string etag = {};
  std::string last_modified = {};
  std::chrono::milliseconds limit{20'000}; ///< for all of it
};

/// What came. `status` 206: bytes from `offset` on, at most `size`. 200: the
/// server knows no ranges, or the resource is another now; bytes from its
/// start, at most `most_whole`, or of what is asked for whole at most one more
/// than `size`. Anything else: no bytes.
struct range_answer {
  long status = 0; ///< 0: none came, see `wrong` and `error`
  errc wrong = errc::source_unavailable;
  std::string error;
  std::string bytes;
  std::int64_t total = -1; ///< of the whole resource; negative: not told
  std::string validator;   ///< strong ETag, or Last-Modified; may be empty
  double retry_after_s = 0;
  std::string etag = {}; ///< strong or weak
  std::string last_modified = {};
};

/// Heard once, on the fetcher's thread; returns at once.
using range_heard = std::function<void(range_answer)>;

/// Fetches parts of resources over HTTP with ranges (RFC 9110, 14), redirects
/// followed, everything through a proxy. One thread serves all; connections
/// are kept.
class range_fetcher {
public:
  /// Of what a server without ranges sends.
  static constexpr std::size_t most_whole = 8u << 20;

  range_fetcher();
  /// What is under way is not heard any more.
  ~range_fetcher();
  range_fetcher(const range_fetcher&) = delete;
  range_fetcher& operator=(const range_fetcher&) = delete;

  /// Any thread; returns at once.
  void fetch(range_request what, range_heard heard);

private:
  class impl;
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::media
