#pragma once

#include "actors/gateway.hpp"
#include "media/cache/cached.hpp"
#include "media/descriptor.hpp"
#include "media/stream/wish.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::actors {

/// A stream that is asked for.
struct stream_ask {
  media::stream_wish wish;
  std::string owner;
  /// Of `POST /v1/streams`: the same again answers with the first's stream.
  store::idempotency key;
};

/// A stream, as the API shows it.
struct stream_view {
  std::string id;
  std::string owner;
  std::string json;   ///< the stream
  std::string health; ///< JSON, of `/health`
  bool replayed = false;
};

/// What of a stream may be changed; what is not set stays.
struct stream_change {
  std::optional<int> priority;
  std::optional<std::uint32_t> max_height;  ///< 0: any
  std::optional<std::uint64_t> max_bitrate; ///< 0: any
};

enum class stream_file : std::uint8_t { master, playlist, init, segment };

/// A file of a stream, asked for by a URL whose signature is good.
struct stream_file_ask {
  std::string id;
  stream_file what = stream_file::master;
  std::string rendition;    ///< but for `master`
  std::uint32_t number = 0; ///< of a segment
  std::string cmcd;         ///< what the player says of itself (CTA-5004)
};

/// Whose stream it is, and how much that counts.
struct stream_party {
  std::string owner;
  int priority = 5;
};

struct stream_file_reply {
  media::cached_ptr bytes; ///< null: it is `text`
  std::string text;
  bool made = false; ///< for this request, or one that it joined
  stream_party party = {};
};

/// The source itself.
struct stream_direct {
  std::shared_ptr<const media::descriptor> file;
  std::uint64_t size = 0;
  std::string etag; ///< strong, quoted
  std::string_view type;
  stream_party party = {};
};

/// What follows what, where a stream is sent as one file.
struct stream_course {
  struct step {
    bool audio = false;
    std::uint32_t number = 0; ///< of a segment
  };
  std::string video; ///< rendition; empty: there is none
  std::string audio; ///< the same
  std::vector<step> steps;
  stream_party party = {};
};

/// Streams, for the edge. Thread-safe; no call blocks. Failures are those of
/// media and of the store; where there are too many, of the overload category.
class stream_desk {
public:
  virtual ~stream_desk() = default;
  virtual void open_stream(stream_ask ask, reply_to<stream_view> reply) = 0;
  virtual void list_streams(reply_to<std::vector<stream_view>> reply) = 0;
  virtual void show_stream(std::string id, reply_to<stream_view> reply) = 0;
  virtual void change_stream(std::string id, stream_change what,
                             reply_to<stream_view> reply) = 0;
  /// As it was at its end.
  virtual void close_stream(std::string id, reply_to<stream_view> reply) = 0;
  virtual void stream_part(stream_file_ask ask,
                           reply_to<stream_file_reply> reply) = 0;
  virtual void open_direct(std::string id, reply_to<stream_direct> reply) = 0;
  /// From the segment that is shown at a time on; its best rendition.
  virtual void plan_course(std::string id, double start_s,
                           reply_to<stream_course> reply) = 0;
};

} // namespace troupe::actors
