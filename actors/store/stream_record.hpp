#pragma once

#include "actors/store/job.hpp"
#include "actors/store/transaction.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Stream sessions as records: what a server needs to take one up again. Due
/// when they expire; then any server forgets them.
namespace troupe::store {

struct stream_record {
  std::string id;
  std::string owner;
  std::string wish; ///< JSON object, as `POST /v1/streams` takes it
  timestamp_ms created_at = 0;
  timestamp_ms expires_at = 0;
};

/// Adds it or replaces the one of its id.
void put_stream(const stream_record& it, transaction& in);
/// `not_found` if there is none.
errc drop_stream(const std::string& id, transaction& in);
/// One whose time has come.
void expire_stream(const std::string& id, transaction& in);

/// Of a record's bytes; nothing if they make no sense.
std::optional<stream_record> unpack_stream(std::string_view bytes);
std::optional<stream_record> read_stream(const std::string& id,
                                         transaction& in);
/// Up to `max` of them, by id, after `after`.
std::vector<stream_record> read_streams(const std::string& after,
                                        std::size_t max, transaction& in);

} // namespace troupe::store
