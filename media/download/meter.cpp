#include "media/download/meter.hpp"

#include <algorithm>

namespace troupe::media {

progress_meter::progress_meter() {
  now_.stage = "extract";
  now_.unit = "bytes";
}

void progress_meter::expect(const std::vector<expected_part>& parts) {
  parts_.clear();
  for (const auto& each : parts)
    parts_.push_back({each.format, 0, each.size, each.size < 0});
  now_.stage = "download";
  sum(0);
}

void progress_meter::fetched(const fetch_line& line) {
  // Subtitles and thumbnails belong to no format.
  if (line.format.empty() || line.format == "NA")
    return;
  auto& own = part_of(line.format);
  own.done = line.complete ? std::max(own.done, line.done) : line.done;
  if (line.total >= 0) {
    own.size = line.total;
    own.estimated = false;
  } else if (line.estimate >= 0 && own.estimated) {
    own.size = line.estimate;
  }
  if (line.complete)
    own.size = own.done;
  now_.stage = "download";
  sum(line.rate);
}

void progress_meter::enter(std::string_view stage) {
  now_.stage = stage;
  now_.rate = 0;
  now_.eta_s = -1;
}

progress_meter::part& progress_meter::part_of(const std::string& format) {
  const auto at = std::ranges::find(parts_, format, &part::format);
  if (at != parts_.end())
    return *at;
  return parts_.emplace_back(part{format, 0, -1, true});
}

void progress_meter::sum(double rate) {
  std::int64_t done = 0;
  std::int64_t total = 0;
  bool known = !parts_.empty();
  for (const auto& each : parts_) {
    done += each.done;
    known = known && each.size >= 0;
    total += std::max(each.size, each.done);
  }
  now_.done = std::max(now_.done, done);
  now_.total = known ? std::max(total, now_.done) : 0;
  now_.rate = rate;
  now_.eta_s = -1;
  if (!known || now_.total == 0) {
    now_.fraction = -1;
    return;
  }
  const auto fraction =
    static_cast<double>(now_.done) / static_cast<double>(now_.total);
  highest_ = std::clamp(fraction, highest_, 1.0);
  now_.fraction = highest_;
  if (rate > 0)
    now_.eta_s = static_cast<double>(now_.total - now_.done) / rate;
}

std::string_view stage_of(const postprocess_line& line) noexcept {
  if (!line.started || line.name == "MoveFiles")
    return {};
  return line.name == "Merger" ? "merge" : "postprocess";
}

} // namespace troupe::media
