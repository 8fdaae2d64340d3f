#pragma once

#include "media/av/task.hpp"

#include <concepts>
#include <type_traits>

/// The names under which what is ordered and answered travels: `members` calls
/// `visit(name, member)` for each. Bytes of results travel beside.
namespace troupe::media {

template <class Of, class T>
concept maybe_const = std::same_as<std::remove_const_t<Of>, T>;

template <maybe_const<av_base> Of, class Visit>
void members(Of& of, Visit visit) {
  visit("num", of.num);
  visit("den", of.den);
}

template <maybe_const<av_track> Of, class Visit>
void members(Of& of, Visit visit) {
  visit("number", of.number);
  visit("kind", of.kind);
  visit("codec", of.codec);
  visit("codecs", of.codecs);
  visit("language", of.language);
  visit("title", of.title);
  visit("default", of.is_default);
  visit("forced", of.forced);
  visit("bitrate", of.bitrate);
  visit("width", of.width);
  visit("height", of.height);
  visit("frame_rate", of.frame_rate);
  visit("bits", of.bits);
  visit("pixel_format", of.pixel_format);
  visit("hdr", of.hdr);
  visit("rotation", of.rotation);
  visit("interlaced", of.interlaced);
  visit("sample_aspect", of.sample_aspect);
  visit("sample_rate", of.sample_rate);
  visit("channels", of.channels);
}

template <maybe_const<av_chapter> Of, class Visit>
void members(Of& of, Visit visit) {
  visit("start_s", of.start_s);
  visit("end_s", of.end_s);
  visit("title", of.title);
}

template <maybe_const<av_index> Of, class Visit>
void members(Of& of, Visit visit) {
  visit("container", of.container);
  visit("duration_s", of.duration_s);
  visit("bitrate", of.bitrate);
  visit("tracks", of.tracks);
  visit("chapters", of.chapters);
  visit("video", of.video);
  visit("base", of.base);
  visit("origin_us", of.origin_us);
  visit("borders", of.borders);
  visit("keys", of.keys);
  visit("video_segments", of.video_segments);
  visit("copy_borders", of.copy_borders);
  visit("no_copy", of.no_copy);
  visit("indexed", of.indexed);
  visit("cut_short", of.cut_short);
}

template <maybe_const<av_video_settings> Of, class Visit>
void members(Of& of, Visit visit) {
  visit("codec", of.codec);
  visit("width", of.width);
  visit("height", of.height);
  visit("crf", of.crf);
  visit("maxrate", of.maxrate);
  visit("bufsize", of.bufsize);
  visit("preset", of.preset);
  visit("level", of.level);
  visit("deinterlace", of.deinterlace);
  visit("tonemap", of.tonemap);
  visit("burn_in", of.burn_in);
}

template <maybe_const<av_audio_settings> Of, class Visit>
void members(Of& of, Visit visit) {
  visit("codec", of.codec);
  visit("bitrate", of.bitrate);
  visit("channels", of.channels);
  visit("sample_rate", of.sample_rate);
}

template <maybe_const<av_order> Of, class Visit>
void members(Of& of, Visit visit) {
  visit("source_key", of.source_key);
  visit("asks", of.asks);
  visit("source_size", of.source_size);
  visit("what", of.what);
  visit("scan", of.scan);
  visit("track", of.track);
  visit("base", of.base);
  visit("origin_us", of.origin_us);
  visit("start", of.start);
  visit("end", of.end);
  visit("key", of.key);
  visit("last", of.last);
  visit("sequence", of.sequence);
  visit("video", of.video);
  visit("audio", of.audio);
  visit("primer", of.primer);
}

template <maybe_const<av_result> Of, class Visit>
void members(Of& of, Visit visit) {
  visit("codecs", of.codecs);
  visit("frames", of.frames);
  visit("speed", of.speed);
  visit("start", of.start);
  visit("end", of.end);
  visit("missing", of.missing);
}

} // namespace troupe::media
