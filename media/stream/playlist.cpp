#include "media/stream/playlist.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace troupe::media {

namespace {

constexpr std::string_view audio_group = "audio";
constexpr std::string_view text_group = "text";

std::string decimal(double value, int digits) {
  std::array<char, 64> out{};
  const auto size =
    std::snprintf(out.data(), out.size(), "%.*f", digits, value);
  return {out.data(), static_cast<std::size_t>(std::clamp(size, 0, 63))};
}

/// A quoted string holds neither quotes nor line breaks (RFC 8216, 4.2).
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text)
    out += c == '"' ? '\'' : static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return out + '"';
}

/// What people call a track; each of a group has another name.
std::string title_of(const stream_line& line, std::size_t number) {
  const auto& track = line.track;
  std::string out = !track.title.empty()      ? track.title
                    : !track.language.empty() ? track.language
                                              : "Track";
  return out + " (" + std::to_string(number) + ')';
}

void append_media(std::string& out, std::string_view type,
                  std::string_view group, const stream_line& line,
                  std::size_t number) {
  const auto& track = line.track;
  out.append("#EXT-X-MEDIA:TYPE=").append(type);
  out += ",GROUP-ID=" + in_quotes(group)
         + ",NAME=" + in_quotes(title_of(line, number));
  if (!track.language.empty())
    out += ",LANGUAGE=" + in_quotes(track.language);
  out +=
    line.shown ? ",DEFAULT=YES,AUTOSELECT=YES" : ",DEFAULT=NO,AUTOSELECT=YES";
  if (line.kind == av_kind::text && track.forced)
    out += ",FORCED=YES";
  if (line.kind == av_kind::audio && track.channels > 0) {
    const auto most = line.is_encoded() ? line.audio.channels : track.channels;
    out +=
      ",CHANNELS=" + in_quotes(std::to_string(std::min(most, track.channels)));
  }
  out += ",URI=" + in_quotes(line.name + "/index.m3u8") + '\n';
}

/// Of all that a variant's group of audio may need.
void append_codecs(std::string& out, const stream_plan& plan,
                   const stream_line& line) {
  std::vector<std::string> codecs{line.codecs};
  if (line.kind == av_kind::video)
    for (const auto& each : plan.audio)
      codecs.push_back(each->codecs);
  std::string list;
  for (auto at = codecs.begin(); at != codecs.end(); ++at) {
    if (at->empty())
      return; // one unknown: none is told, as half of the list would be wrong
    if (std::find(codecs.begin(), at, *at) == at)
      list += (list.empty() ? "" : ",") + *at;
  }
  out += ",CODECS=" + in_quotes(list);
}

void append_variant(std::string& out, const stream_plan& plan,
                    const stream_line& line) {
  std::uint64_t audio = 0;
  if (line.kind == av_kind::video)
    for (const auto& each : plan.audio)
      audio = std::max(audio, each->bandwidth);
  out += "#EXT-X-STREAM-INF:BANDWIDTH="
         + std::to_string(std::max<std::uint64_t>(line.bandwidth + audio, 1));
  append_codecs(out, plan, line);
  if (line.kind == av_kind::video) {
    out += ",RESOLUTION=" + std::to_string(line.width) + 'x'
           + std::to_string(line.height);
    if (line.frame_rate > 0)
      out += ",FRAME-RATE=" + decimal(line.frame_rate, 3);
    if (!plan.audio.empty())
      out += ",AUDIO=" + in_quotes(audio_group);
  }
  if (!plan.text.empty())
    out += ",SUBTITLES=" + in_quotes(text_group);
  out += '\n' + line.name + "/index.m3u8\n";
}

} // namespace

std::string master_playlist(const stream_plan& plan) {
  std::string out = "#EXTM3U\n#EXT-X-VERSION:7\n"
                    "#EXT-X-INDEPENDENT-SEGMENTS\n";
  if (plan.start_s > 0)
    out += "#EXT-X-START:TIME-OFFSET=" + decimal(plan.start_s, 3) + '\n';
  if (!plan.video.empty())
    for (std::size_t i = 0; i < plan.audio.size(); ++i)
      append_media(out, "AUDIO", audio_group, *plan.audio[i], i + 1);
  for (std::size_t i = 0; i < plan.text.size(); ++i)
    append_media(out, "SUBTITLES", text_group, *plan.text[i], i + 1);
  for (const auto& each : plan.video.empty() ? plan.audio : plan.video)
    append_variant(out, plan, *each);
  return out;
}

std::string media_playlist(const stream_plan& plan, const stream_line& line) {
  const bool is_text = line.kind == av_kind::text;
  std::string out = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:"
                    + std::to_string(plan.target_s)
                    + "\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n";
  if (!is_text)
    out += "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n";
  const auto segments = line.segments();
  out.reserve(out.size() + std::size_t{32} * segments);
  for (std::uint32_t n = 0; n < segments; ++n) {
    out += "#EXTINF:" + decimal(line.begin_s(n + 1) - line.begin_s(n), 6)
           + ",\n" + std::to_string(n) + (is_text ? ".vtt\n" : ".m4s\n");
  }
  return out + "#EXT-X-ENDLIST\n";
}

} // namespace troupe::media
