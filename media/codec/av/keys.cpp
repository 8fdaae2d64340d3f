#include "media/codec/av/keys.hpp"

#include "media/codec/av/failing.hpp"

#include <algorithm>
#include <cstdio>

namespace troupe::codec {

namespace {

using media::av_key;

/// Packets after a key among which those that are shown before it are.
constexpr int packets_looked_at = 6;

/// Times beyond are of broken files.
constexpr std::int64_t most_time = std::int64_t{1} << 56;

/// One entry of a container's index.
struct entry {
  std::int64_t time = 0; ///< of decoding in MP4, of presentation in Matroska
  std::int64_t position = 0;
};

struct entries {
  std::vector<entry> keys;
  std::int64_t first = 0; ///< time of the first entry
  std::int64_t last = 0;
  bool trimmed = false; ///< some are not to be shown
  bool whole = false;   ///< the file has all of them
};

/// @param size of the file, beyond which there is nothing; negative: not known
entries read_entries(AVStream& stream, std::int64_t size) {
  entries found;
  const int count = avformat_index_get_entries_count(&stream);
  for (int i = 0; i < count; ++i) {
    const auto* each = avformat_index_get_entry(&stream, i);
    if (size >= 0 && each->pos > size - each->size)
      break;
    if (each->timestamp > most_time || each->timestamp < -most_time)
      continue;
    if (i == 0)
      found.first = each->timestamp;
    found.last = each->timestamp;
    found.whole = i + 1 == count;
    if ((each->flags & AVINDEX_DISCARD_FRAME) != 0)
      found.trimmed = true;
    if ((each->flags & AVINDEX_KEYFRAME) != 0)
      found.keys.push_back({each->timestamp, each->pos});
  }
  return found;
}

/// Looks at the key that is found by `time`: its time of presentation, and
/// whether nothing after it is shown before it.
result<av_key> look_at(av_source& source, AVStream& stream, const entry& at,
                       std::int64_t delay) {
  if (auto done = source.seek(stream, at.time + delay); !done)
    return done.error();
  av_key key{at.time + delay, at.position, false};
  bool entered = false;
  for (int i = 0; i < packets_looked_at;) {
    auto packet = source.next();
    if (!packet)
      return packet.error();
    if (!*packet)
      break;
    const auto& seen = **packet;
    const bool is_it =
      !entered && (seen.flags & AV_PKT_FLAG_KEY) != 0
      && (seen.dts == at.time || (delay == 0 && seen.pts == at.time));
    if (is_it) {
      key.pts = time_of(seen);
      key.clean = key.pts != AV_NOPTS_VALUE;
      entered = true;
    } else if (entered) {
      if (time_of(seen) < key.pts)
        key.clean = false;
      ++i;
    } else if (seen.dts != AV_NOPTS_VALUE && seen.dts > at.time) {
      break;
    }
  }
  return key;
}

std::int64_t seconds_in(double seconds, AVRational base) {
  return av_rescale_q(static_cast<std::int64_t>(seconds * AV_TIME_BASE),
                      AV_TIME_BASE_Q, base);
}

/// Looks at those keys that would be borders of copies.
result<void> look_at_borders(av_source& source, AVStream& stream,
                             const entries& from, std::int64_t delay,
                             std::vector<av_key>& keys) {
  const auto least = seconds_in(media::av_copy_least, stream.time_base);
  bool first = true;
  std::int64_t border = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    keys[i].clean = false;
    // A little more than enough: the exact time is not known yet.
    if (!first && keys[i].pts - border < least - least / 4)
      continue;
    auto seen = look_at(source, stream, from.keys[i], delay);
    if (!seen)
      return seen.error();
    keys[i] = *seen;
    if (first || (seen->clean && seen->pts - border >= least))
      border = seen->pts;
    first = false;
  }
  return {};
}

std::int64_t frame_time(AVStream& stream) {
  const auto rate = stream.avg_frame_rate;
  return rate.num > 0 && rate.den > 0
           ? av_rescale_q(1, av_inv_q(rate), stream.time_base)
           : 0;
}

/// The first picture: how much later it is shown than decoded.
result<std::int64_t> first_delay(av_source& source, AVStream& stream,
                                 const entries& from) {
  if (auto done = source.seek(stream, from.keys.front().time); !done)
    return done.error();
  auto packet = source.next();
  if (!packet)
    return packet.error();
  if (!*packet || (*packet)->pts == AV_NOPTS_VALUE
      || (*packet)->dts == AV_NOPTS_VALUE)
    return 0;
  return (*packet)->pts - (*packet)->dts;
}

/// What `DURATION` says that Matroska's tracks have of their own.
std::int64_t tagged_end(const AVStream& stream) {
  const auto* tag = av_dict_get(stream.metadata, "DURATION", nullptr, 0);
  int hours = 0;
  int minutes = 0;
  double seconds = 0;
  if (!tag
      || std::sscanf(tag->value, "%d:%d:%lf", &hours, &minutes, &seconds) != 3
      || hours > 1000)
    return 0;
  return seconds_in(hours * 3600.0 + minutes * 60.0 + seconds,
                    stream.time_base);
}

std::int64_t end_of(av_source& source, AVStream& stream, const entries& from,
                    std::int64_t delay) {
  if (source.is_mp4())
    return from.last + delay + std::max<std::int64_t>(frame_time(stream), 1);
  if (const auto tagged = tagged_end(stream); tagged > 0)
    return tagged;
  const auto all = source.input().duration;
  return all > 0 ? av_rescale_q(all, AV_TIME_BASE_Q, stream.time_base) : 0;
}

/// An index that ends early is that of a fragment, or what little was seen of
/// a file that has none.
bool covers(av_source& source, AVStream& stream, const entries& from) {
  const auto all = source.input().duration;
  if (from.keys.empty())
    return false;
  if (all <= 0 || !from.whole)
    return true;
  auto end = av_rescale_q(all, AV_TIME_BASE_Q, stream.time_base);
  if (stream.duration > 0)
    end = std::min(end, stream.duration);
  const auto slack = std::max(end / 4, seconds_in(15, stream.time_base));
  return from.last >= end - slack;
}

} // namespace

result<found_keys> ask_for_keys(av_source& source, AVStream& stream) {
  found_keys found;
  if (!source.has_index())
    return found;
  source.choose(stream);
  // Matroska's index is read at the first seek.
  if (auto done = source.seek(stream, 0); !done)
    return done.error();
  const auto from = read_entries(stream, source.bytes().size());
  if (!covers(source, stream, from))
    return found;
  found.indexed = true;
  found.cut_short = !from.whole;
  std::int64_t delay = 0;
  if (source.is_mp4()) {
    const auto first = first_delay(source, stream, from);
    if (!first)
      return first.error();
    delay = *first;
  }
  for (const auto& each : from.keys)
    found.keys.push_back({each.time + delay, each.position, false});
  found.end = end_of(source, stream, from, delay);
  if (source.is_far())
    found.no_copy = "keys of a remote file are not looked at";
  else if (auto done = look_at_borders(source, stream, from, delay, found.keys);
           !done)
    return done.error();
  if (from.trimmed)
    found.no_copy = "parts of it are cut away by an edit list";
  std::ranges::stable_sort(found.keys, {}, &av_key::pts);
  found.start = std::max<std::int64_t>(found.keys.front().pts, 0);
  return found;
}

result<found_keys> scan_for_keys(av_source& source, AVStream& stream,
                                 std::int64_t& audio_end) {
  found_keys found;
  found.indexed = true;
  std::int64_t last_time = 0;
  bool any = false;
  audio_end = 0;
  for (auto* each :
       std::span{source.input().streams, source.input().nb_streams})
    each->discard = AVDISCARD_DEFAULT;
  // What was not read yet tells of its first packets without a seek.
  if (source.has_index())
    source.rewind();
  for (;;) {
    auto packet = source.next();
    if (!packet)
      return packet.error();
    if (!*packet)
      break;
    const auto& seen = **packet;
    const auto* from =
      source.stream(static_cast<std::uint32_t>(seen.stream_index));
    const auto at = time_of(seen);
    if (at == AV_NOPTS_VALUE)
      continue;
    const auto end = at + seen.duration;
    if (from->codecpar->codec_type == AVMEDIA_TYPE_AUDIO)
      audio_end =
        std::max(audio_end, av_rescale_q(end, from->time_base, AV_TIME_BASE_Q));
    if (from != &stream)
      continue;
    if ((seen.flags & AV_PKT_FLAG_KEY) != 0)
      found.keys.push_back({at, std::max<std::int64_t>(seen.pos, 0), true});
    else if (!found.keys.empty() && at < found.keys.back().pts)
      found.keys.back().clean = false;
    if ((seen.flags & AV_PKT_FLAG_DISCARD) != 0) {
      found.no_copy = "parts of it are cut away by an edit list";
      continue;
    }
    if (!any || at < found.start)
      found.start = at;
    any = true;
    last_time = std::max(last_time, at);
    found.end = std::max(found.end, end);
  }
  if (found.end <= last_time)
    found.end = last_time + std::max<std::int64_t>(frame_time(stream), 1);
  if (!found.keys.empty() && found.keys.front().pts >= 0)
    found.start = std::max(found.start, found.keys.front().pts);
  for (std::size_t i = 1; i < found.keys.size(); ++i)
    if (found.keys[i].pts <= found.keys[i - 1].pts)
      found.no_copy = "its timestamps jump";
  std::ranges::stable_sort(found.keys, {}, &av_key::pts);
  return found;
}

} // namespace troupe::codec
