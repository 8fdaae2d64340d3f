#include "media/av/grid.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace troupe::media {

namespace {

/// Seconds from a key at which a stretch is split; then every `last_step`.
constexpr std::array first_steps{1.0, 1.0, 2.0, 2.0};
constexpr double last_step = 4;
/// A stretch that is no longer is not split.
constexpr double short_stretch = 4.5;
/// What would be left over goes to the segment before it.
constexpr double least_rest = 0.75;
/// So many frames make a segment worth the while.
constexpr double least_frames = 4;

std::int64_t units(double seconds, av_base base) {
  return std::llround(seconds * base.den / base.num);
}

double seconds(std::int64_t time, av_base base) {
  return static_cast<double>(time) * base.num / base.den;
}

/// Splits [from, to): adds the borders between the two.
void split(const av_extent& of, std::int64_t from, std::int64_t to,
           std::vector<std::int64_t>& borders) {
  const double least = of.frame_rate > 0 ? least_frames / of.frame_rate : 0;
  double at = 0;
  for (std::size_t i = 0;; ++i) {
    const auto step = i < first_steps.size() ? first_steps[i] : last_step;
    at += std::max(step, least);
    const auto border = from + units(at, of.base);
    if (to - border < units(std::max(least_rest, least), of.base))
      return;
    borders.push_back(border);
  }
}

/// Clean keys, far enough from each other and from the end; before them the
/// start, where no key is.
std::vector<av_key> merged(const av_extent& of, std::span<const av_key> keys) {
  std::vector<av_key> taken;
  const auto least = units(av_copy_least, of.base);
  for (const auto& key : keys) {
    if (key.pts < of.start)
      continue;
    if (taken.empty() && key.pts > of.start)
      taken.push_back({of.start, key.position, false});
    if (taken.empty()
        || (key.clean && key.pts - taken.back().pts >= least
            && of.end - key.pts >= units(least_rest, of.base)))
      taken.push_back(key);
  }
  if (taken.empty() && !keys.empty())
    taken.push_back({of.start, 0, false});
  return taken;
}

std::string why_no_copy(const av_extent& of, const std::vector<av_key>& cuts) {
  if (!cuts.front().clean)
    return "it does not begin with a key frame that can be entered";
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const bool last = i + 1 == cuts.size();
    const auto end = last ? of.end : cuts[i + 1].pts;
    const auto bytes =
      (last ? of.bytes : cuts[i + 1].position) - cuts[i].position;
    if (seconds(end - cuts[i].pts, of.base) > av_copy_most)
      return "key frames that can be entered are more than 12 s apart";
    if (bytes > static_cast<std::int64_t>(av_segment_bytes))
      return "a segment would have more than 24 MB";
  }
  return {};
}

/// Of each segment, the last key at or before its start.
std::vector<std::int64_t> keys_of(const std::vector<std::int64_t>& borders,
                                  std::span<const av_key> keys) {
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i + 1 < borders.size(); ++i) {
    const auto after =
      std::ranges::upper_bound(keys, borders[i], {}, &av_key::pts);
    found.push_back(after == keys.begin() ? borders[i] : std::prev(after)->pts);
  }
  return found;
}

} // namespace

std::size_t av_most_bytes(const av_order& order) {
  return order.what == av_what::encode_video && order.video.maxrate == 0
           ? av_uncapped_bytes
           : av_segment_bytes;
}

av_grid make_av_grid(const av_extent& of, std::span<const av_key> keys) {
  av_grid grid;
  auto cuts = merged(of, keys);
  const bool by_keys = !cuts.empty();
  if (!by_keys)
    cuts.push_back({of.start, 0, true});
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const auto from = cuts[i].pts;
    const auto to = i + 1 == cuts.size() ? of.end : cuts[i + 1].pts;
    grid.copy_borders.push_back(
      static_cast<std::uint32_t>(grid.borders.size()));
    grid.borders.push_back(from);
    if (i == 0 || seconds(to - from, of.base) > short_stretch)
      split(of, from, to, grid.borders);
  }
  grid.copy_borders.push_back(static_cast<std::uint32_t>(grid.borders.size()));
  grid.borders.push_back(std::max(of.end, grid.borders.back() + 1));
  grid.keys = keys_of(grid.borders, keys);
  grid.no_copy =
    by_keys ? why_no_copy(of, cuts) : std::string{"key frames are not known"};
  if (!grid.no_copy.empty())
    grid.copy_borders.clear();
  return grid;
}

void extend_av_grid(std::vector<std::int64_t>& borders, av_base base,
                    std::int64_t end) {
  const auto step = units(last_step, base);
  while (!borders.empty() && end - borders.back() > units(least_rest, base))
    borders.push_back(std::min(borders.back() + step, end));
}

} // namespace troupe::media
