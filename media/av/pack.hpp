#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// A file of parts of films, one after the other, in whatever order they were
/// made: what a conversion has so far. Written by the server, read by who joins
/// them too.
namespace troupe::media {

enum class pack_part : std::uint8_t {
  plan,   ///< what the pack is of, as its writer says
  init,   ///< of a track
  primer, ///< of a track: see `av_order::primer`
  segment
};

/// Where the bytes of a part are.
struct pack_entry {
  pack_part part = pack_part::plan;
  std::uint8_t track = 0;
  std::uint32_t number = 0; ///< of a segment
  std::uint32_t size = 0;
  std::uint64_t hash = 0;
  std::uint64_t at = 0; ///< of the first byte
};

inline constexpr std::size_t pack_head_size = 32;

[[nodiscard]] std::uint64_t pack_hash(std::string_view bytes);

/// What stands before a part.
[[nodiscard]] std::string encode_pack_head(const pack_entry& entry);

/// What a pack has up to what is cut off or no head. Blocks.
/// @param whole looks at all bytes, too, and stops before what has changed
[[nodiscard]] std::vector<pack_entry> read_pack(int file, bool whole);

/// The bytes of a part. `io_error`. Blocks.
[[nodiscard]] result<std::string> read_pack_part(int file,
                                                 const pack_entry& entry);

/// The parts of a track, as they follow each other: of its init and segments,
/// or of its init and primer. Empty if one is missing.
[[nodiscard]] std::vector<pack_entry>
pack_track(const std::vector<pack_entry>& all, std::uint8_t track,
           pack_part what);

} // namespace troupe::media
