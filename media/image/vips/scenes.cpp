#include "media/image/vips/scenes.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace troupe::codec {

namespace {

/// In this size pictures are compared.
constexpr int glance_width = 32;
constexpr int glance_height = 18;
/// Mean difference of two pictures, of 255, that belong to two scenes.
constexpr double least_change = 20;
/// A video up to this long is watched whole.
constexpr double whole_s = 60;
constexpr int most_glances = 400;

struct change {
  double time = 0;
  double by = 0; ///< from the picture before
};

/// Compares pictures with those before them.
class watcher {
public:
  explicit watcher(video_frames& video) : video_(video) {}

  std::vector<change> watch_all() {
    if (video_.seek(0, 0))
      do
        note();
      while (video_.next());
    return std::move(seen_);
  }

  std::vector<change> glance() {
    video_.set_keys_only(true);
    for (int i = 0; i < most_glances; ++i) {
      const auto at = video_.duration_s() * i / most_glances;
      if (video_.seek(at, video_.duration_s())
          && (seen_.empty() || video_.time_s() > seen_.back().time))
        note();
    }
    video_.set_keys_only(false);
    return std::move(seen_);
  }

private:
  void note() {
    auto now = video_.pixels(glance_width, glance_height);
    double by = 0;
    if (now.size() == last_.size() && !now.empty())
      by = std::transform_reduce(now.begin(), now.end(), last_.begin(), 0.0,
                                 std::plus{},
                                 [](int a, int b) { return std::abs(a - b); })
           / static_cast<double>(now.size());
    last_ = std::move(now);
    seen_.push_back({video_.time_s(), by});
  }

  video_frames& video_;
  std::vector<change> seen_;
  std::vector<std::uint8_t> last_;
};

} // namespace

std::vector<double> find_scenes(video_frames& video, std::uint32_t most) {
  watcher by{video};
  auto changes = video.duration_s() > whole_s ? by.glance() : by.watch_all();
  if (changes.empty())
    return {};
  std::vector times{changes.front().time};
  std::erase_if(changes,
                [](const change& each) { return each.by < least_change; });
  std::ranges::sort(changes, std::ranges::greater{}, &change::by);
  changes.resize(std::min<std::size_t>(changes.size(), most - 1));
  for (const auto& each : changes)
    times.push_back(each.time);
  std::ranges::sort(times);
  return times;
}

} // namespace troupe::codec
