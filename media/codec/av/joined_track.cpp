#include "media/codec/av/joined_track.hpp"

#include "media/codec/av/audio.hpp"
#include "media/codec/av/failing.hpp"
#include "media/codec/av/frame_times.hpp"

#include <algorithm>

namespace troupe::codec {

namespace {

using media::errc;

/// Frames that H.264 and HEVC wait for: those of our encoders with pyramids.
constexpr int usual_delay = 2;

/// How far a group's packets come before those that are shown first.
int depth_of(const std::vector<packet_ptr>& group,
             const std::vector<std::int64_t>& sorted) {
  std::ptrdiff_t depth = 0;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto rank =
      std::ranges::lower_bound(sorted, group[i]->pts) - sorted.begin();
    depth = std::max(depth, static_cast<std::ptrdiff_t>(i) - rank);
  }
  return static_cast<int>(depth);
}

} // namespace

result<std::unique_ptr<joined_track>>
joined_track::open(const media::av_join_track& what,
                   const std::vector<media::pack_entry>& all, int pack) {
  auto parts = media::pack_track(all, what.track, media::pack_part::segment);
  auto primer = media::pack_track(all, what.track, media::pack_part::primer);
  if (parts.empty() || (what.primed && primer.empty()))
    return fail(errc::invalid_media, "a part of a track is missing");
  std::unique_ptr<joined_track> made{
    new joined_track{what, pack, std::move(parts)}};
  if (auto begun = made->begin(pack, std::move(primer)); !begun)
    return begun.error();
  return made;
}

result<void> joined_track::begin(int pack,
                                 std::vector<media::pack_entry> primer) {
  input_ = pieces_.open();
  if (!input_ || input_->nb_streams != 1)
    return fail(errc::invalid_media, "a track cannot be read again");
  if (avformat_find_stream_info(input_.get(), nullptr) < 0)
    return fail(errc::invalid_media, "a track cannot be looked into");
  if (what_.primed)
    return prime(pack, std::move(primer));
  return {};
}

result<void> joined_track::prime(int pack,
                                 std::vector<media::pack_entry> primer) {
  auto first = read();
  if (!first)
    return first.error();
  if (!*first)
    return fail(errc::invalid_media, "a track is empty");
  pieces parts{pack, std::move(primer)};
  const auto input = parts.open();
  const auto step = frame_length();
  while (input) {
    packet_ptr packet{av_packet_alloc()};
    if (!packet)
      return fail(errc::memory);
    if (av_read_frame(input.get(), packet.get()) < 0)
      break;
    ready_.push_back(std::move(packet));
  }
  auto at = (*first)->pts - static_cast<std::int64_t>(ready_.size()) * step;
  input_->streams[0]->codecpar->initial_padding = static_cast<int>(
    av_rescale_q(std::max<std::int64_t>(-at, 0), base(),
                 {1, std::max(input_->streams[0]->codecpar->sample_rate, 1)}));
  for (const auto& each : ready_) {
    each->pts = each->dts = at;
    each->duration = step;
    at += step;
  }
  (*first)->duration = step;
  ready_.push_back(std::move(*first));
  return {};
}

/// Demuxers leave out that of a fragment's last packet.
std::int64_t joined_track::frame_length() const {
  const auto& codec = *like().codecpar;
  return av_rescale_q(frame_size_of(codec, opus_samples),
                      {1, std::max(codec.sample_rate, 1)}, base());
}

result<packet_ptr> joined_track::read() {
  packet_ptr packet{av_packet_alloc()};
  if (!packet)
    return fail(errc::memory);
  const int done = av_read_frame(input_.get(), packet.get());
  if (pieces_.failed())
    return fail(errc::io_error, "what was made cannot be read again");
  if (done == AVERROR_EOF)
    return packet_ptr{};
  if (done < 0)
    return av_failure(done, "what was made cannot be read again");
  return packet;
}

std::int64_t joined_track::end() const {
  return av_rescale_q(what_.end_us, AV_TIME_BASE_Q, base());
}

void joined_track::set_delay(const std::vector<packet_ptr>& group) {
  std::vector<std::int64_t> sorted;
  for (const auto& each : group)
    sorted.push_back(each->pts);
  std::ranges::sort(sorted);
  const auto& codec = *like().codecpar;
  const bool reorders =
    codec.codec_id == AV_CODEC_ID_H264 || codec.codec_id == AV_CODEC_ID_HEVC;
  delay_ = std::max(
    {reorders ? usual_delay : 0, codec.video_delay, depth_of(group, sorted)});
  const auto step = sorted.size() > 1
                      ? sorted[1] - sorted[0]
                      : std::max<std::int64_t>(end() - sorted[0], 1);
  for (int i = delay_; i > 0; --i)
    shown_.push_back(sorted.front() - i * step);
}

/// A group is shown whole before the next one.
result<void> joined_track::fill_video() {
  std::vector<packet_ptr> group;
  if (read_)
    group.push_back(std::move(read_));
  for (;;) {
    auto next = read();
    if (!next)
      return next.error();
    ended_ = !*next;
    if (ended_)
      break;
    if (((*next)->flags & AV_PKT_FLAG_KEY) != 0 && !group.empty()) {
      read_ = std::move(*next);
      break;
    }
    group.push_back(std::move(*next));
  }
  if (group.empty())
    return {};
  if (delay_ < 0)
    set_delay(group);
  auto times = shown_;
  for (const auto& each : group)
    times.push_back(each->pts);
  std::sort(times.begin() + delay_, times.end());
  for (std::size_t i = 0; i < group.size(); ++i) {
    auto& packet = *group[i];
    packet.dts = times[i];
    if (packet.dts > packet.pts)
      return fail(errc::invalid_media, "frames are too far out of order");
    packet.duration = i + 1 < times.size() ? times[i + 1] - times[i]
                      : read_              ? read_->pts - times[i]
                                           : end() - times[i];
  }
  if (ended_)
    group.back()->duration = std::max<std::int64_t>(end() - times.back(), 1);
  shown_.assign(times.end() - delay_, times.end());
  for (auto& each : group)
    ready_.push_back(std::move(each));
  return {};
}

result<void> joined_track::fill() {
  if (what_.video)
    return fill_video();
  auto next = read();
  if (!next)
    return next.error();
  ended_ = !*next;
  if (*next) {
    // The last one holds more than there is.
    const auto left = end() - (*next)->pts;
    (*next)->duration =
      std::max<std::int64_t>(std::min(frame_length(), left), 1);
    ready_.push_back(std::move(*next));
  }
  return {};
}

result<const AVPacket*> joined_track::peek() {
  while (ready_.empty() && !ended_)
    if (auto filled = fill(); !filled)
      return filled.error();
  return ready_.empty() ? nullptr : ready_.front().get();
}

packet_ptr joined_track::take() {
  auto packet = std::move(ready_.front());
  ready_.pop_front();
  return packet;
}

} // namespace troupe::codec
