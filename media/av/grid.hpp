#pragma once

#include "media/av/task.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Where a film is cut. Two grids, so that copies and transcodes can be
/// switched at every border of the former.
namespace troupe::media {

/// A key frame of the source.
struct av_key {
  std::int64_t pts = 0;
  std::int64_t position = 0; ///< byte of the file, ascending
  /// Nothing after it, in the order of decoding, is shown before it.
  bool clean = true;
};

struct av_grid {
  std::vector<std::int64_t> borders;
  std::vector<std::uint32_t> copy_borders;
  std::vector<std::int64_t> keys; ///< of each segment; see `av_index`
  std::string no_copy;
};

/// What is cut, in units of `base`.
struct av_extent {
  av_base base;
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::int64_t bytes = 0; ///< of the file
  double frame_rate = 0;  ///< 0: not known
};

/// Seconds that a copied segment has at least, and may have at most.
inline constexpr double av_copy_least = 4;
inline constexpr double av_copy_most = 12;
/// Bytes that a segment may have.
inline constexpr std::size_t av_segment_bytes = 24u << 20;
/// Bytes that one may have whose video is made at whatever rate it takes.
inline constexpr std::size_t av_uncapped_bytes = 96u << 20;

/// What of the two holds for the segment of an order.
[[nodiscard]] std::size_t av_most_bytes(const av_order& order);

/// Copy borders are clean keys, merged to `av_copy_least`; stretches between
/// them are split at 1, 1, 2, 2 and then every 4 seconds, but for short ones
/// after the first. @param keys ascending; empty: cut by time alone.
[[nodiscard]] av_grid make_av_grid(const av_extent& of,
                                   std::span<const av_key> keys);

/// Goes on after the grid's end by 4 seconds each, for audio that does.
void extend_av_grid(std::vector<std::int64_t>& borders, av_base base,
                    std::int64_t end);

} // namespace troupe::media
