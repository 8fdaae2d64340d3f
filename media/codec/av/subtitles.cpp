#include "media/codec/av/subtitles.hpp"

#include "media/codec/av/copy.hpp"
#include "media/codec/av/failing.hpp"
#include "media/codec/probe_streams.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace troupe::codec {

namespace {

using media::av_order;
using media::av_result;
using media::errc;

/// Commas before the text of an event: order, layer, style, name, margins,
/// effect.
constexpr int fields_before_text = 8;
constexpr std::size_t most_bytes = 8 << 20;
/// Of a cue that does not say how long it is shown.
constexpr std::int64_t usual_ms = 4000;

struct cue {
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  std::string text;
};

struct subtitle_freer {
  void operator()(AVSubtitle* of) const noexcept {
    avsubtitle_free(of);
  }
};

std::string time_text(std::int64_t ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld.%03lld",
                static_cast<long long>(ms / 3'600'000),
                static_cast<long long>(ms / 60'000 % 60),
                static_cast<long long>(ms / 1000 % 60),
                static_cast<long long>(ms % 1000));
  return text;
}

std::string_view text_field(std::string_view event) {
  for (int i = 0; i < fields_before_text; ++i) {
    const auto comma = event.find(',');
    if (comma == event.npos)
      return {};
    event.remove_prefix(comma + 1);
  }
  return event;
}

result<codec_ptr> open_decoder(const AVStream& stream) {
  const auto* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  if (!codec || !may_decode(codec->name))
    return fail(errc::invalid_media, "no decoder for these subtitles");
  codec_ptr made{avcodec_alloc_context3(codec)};
  if (!made || avcodec_parameters_to_context(made.get(), stream.codecpar) < 0)
    return fail(errc::memory);
  made->pkt_timebase = stream.time_base;
  if (const int done = avcodec_open2(made.get(), codec, nullptr); done < 0)
    return av_failure(done, "these subtitles cannot be decoded");
  return made;
}

/// What one packet shows; none if it cannot be decoded.
std::string decode(AVCodecContext& decoder, AVPacket& packet,
                   std::int64_t& duration_ms) {
  AVSubtitle shown{};
  int got = 0;
  const int done = avcodec_decode_subtitle2(&decoder, &shown, &got, &packet);
  const std::unique_ptr<AVSubtitle, subtitle_freer> held{&shown};
  std::string text;
  if (done < 0 || got == 0)
    return text;
  if (shown.end_display_time > 0 && shown.end_display_time != UINT32_MAX)
    duration_ms = shown.end_display_time;
  for (const auto* each : std::span{shown.rects, shown.num_rects}) {
    const auto* line = each->ass ? each->ass : each->text;
    if (!line)
      continue;
    auto plain =
      plain_text_of(each->ass ? text_field(line) : std::string_view{line});
    if (!text.empty() && !plain.empty())
      text += '\n';
    text += plain;
  }
  return text_of(text.c_str());
}

result<std::vector<cue>> read_cues(av_source& source, AVStream& stream,
                                   const av_order& order) {
  auto decoder = open_decoder(stream);
  if (!decoder)
    return decoder.error();
  const AVRational milli{1, 1000};
  const auto origin = origin_in(order, stream.time_base);
  std::vector<cue> cues;
  std::size_t bytes = 0;
  source.rewind();
  for (;;) {
    auto packet = source.next();
    if (!packet)
      return packet.error();
    if (!*packet || bytes > most_bytes)
      return cues;
    const auto at = time_of(**packet);
    if (at == AV_NOPTS_VALUE)
      continue;
    auto lasts = av_rescale_q((*packet)->duration, stream.time_base, milli);
    auto text = decode(**decoder, **packet, lasts);
    const auto start = av_rescale_q(at - origin, stream.time_base, milli);
    if (text.empty() || start < 0)
      continue;
    bytes += text.size();
    cues.push_back(
      {start, start + (lasts > 0 ? lasts : usual_ms), std::move(text)});
  }
}

} // namespace

std::string plain_text_of(std::string_view event) {
  std::string text;
  bool command = false;
  for (std::size_t i = 0; i < event.size(); ++i) {
    const char c = event[i];
    const char after = i + 1 < event.size() ? event[i + 1] : '\0';
    if (c == '{' || c == '}') {
      command = c == '{';
    } else if (command || c == '\r') {
      continue;
    } else if (c == '\\' && (after == 'N' || after == 'n')) {
      text += '\n';
      ++i;
    } else if (c == '\\' && after == 'h') {
      text += ' ';
      ++i;
    } else if (c == '&') {
      text += "&amp;";
    } else if (c == '<') {
      text += "&lt;";
    } else if (c == '>') {
      text += "&gt;";
    } else {
      text += c;
    }
  }
  // An empty line would end the cue.
  for (auto at = text.find("\n\n"); at != text.npos; at = text.find("\n\n"))
    text.erase(at, 1);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  while (!text.empty() && text.front() == '\n')
    text.erase(0, 1);
  return text;
}

result<av_result> make_subtitles(av_source& source, const av_order& order) {
  auto* stream = source.stream(order.track);
  if (!stream || stream->codecpar->codec_type != AVMEDIA_TYPE_SUBTITLE)
    return fail(errc::bad_params, "there is no such track");
  source.choose(*stream);
  auto cues = read_cues(source, *stream, order);
  if (!cues)
    return cues.error();
  std::ranges::stable_sort(*cues, {}, &cue::start_ms);
  av_result made;
  made.codecs = "wvtt";
  made.frames = static_cast<std::uint32_t>(cues->size());
  made.media = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n";
  for (const auto& each : *cues)
    made.media += "\n" + time_text(each.start_ms) + " --> "
                  + time_text(each.end_ms) + "\n" + each.text + "\n";
  return made;
}

} // namespace troupe::codec
