#pragma once

#include "actors/store/batches.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Batches as bytes: the record of each, and the chunks in which the jobs of a
/// staged one lie.
namespace troupe::store {

/// @param due when it is to be followed; 0: never
void save_batch(const batch_record& it, timestamp_ms due, transaction& in);

/// What of a record comes before its damage; the id alone if nothing does.
[[nodiscard]] batch_record legible_batch(const std::string& id,
                                         transaction& in);

/// The key of a record `staged`.
[[nodiscard]] std::string chunk_key(const std::string& id, std::uint64_t chunk);

[[nodiscard]] std::string pack_chunk(std::span<const job_draft> jobs);

/// What of a chunk can be read.
[[nodiscard]] std::vector<job_draft> unpack_chunk(std::string_view bytes);

} // namespace troupe::store
