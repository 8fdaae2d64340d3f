#include "media/codec/av/check.hpp"

#include "media/av/join_task.hpp"
#include "media/codec/av/decoding.hpp"
#include "media/codec/av/source.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

namespace troupe::codec {

namespace {

using media::errc;

/// Frames that are decoded at each place but the end.
constexpr int frames_looked_at = 3;
/// Seconds that a film may last more or less than it should.
constexpr double duration_slack = 0.25;
/// Before the end, where decoding begins that goes up to it.
constexpr double end_part = 1;

std::string at_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", seconds);
  return text;
}

double seconds_in(std::int64_t time, const AVStream& stream) {
  return static_cast<double>(time) * av_q2d(stream.time_base);
}

/// Decodes from a place on. @param frames negative: up to the end
/// @return seconds at which the last frame is shown; negative: there is none
result<double> decode_from(av_source& source, AVStream& stream, double seconds,
                           int frames, task_context& context) {
  auto decoder = decoding::open(source, stream);
  if (!decoder)
    return decoder.error();
  source.choose(stream);
  const auto time =
    static_cast<std::int64_t>(std::llround(seconds / av_q2d(stream.time_base)));
  auto packet = stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO
                  ? source.find_key(stream, time, false)
                  : source.find_before(stream, time);
  if (!packet)
    return packet.error();
  double last = -1;
  if (!*packet)
    return last;
  decoder->restart(std::move(*packet));
  for (int n = 0; frames < 0 || n < frames; ++n) {
    auto frame = decoder->next();
    if (!frame)
      return frame.error();
    if (!*frame)
      break;
    last = seconds_in((*frame)->pts, stream);
    context.progress(static_cast<std::uint64_t>(n) + 1, 0);
  }
  return last;
}

failure broken(const AVStream& stream, const std::string& what) {
  return fail(errc::invalid_media,
              std::string{av_get_media_type_string(stream.codecpar->codec_type)}
                + " " + what);
}

result<void> check_stream(av_source& source, AVStream& stream, double duration,
                          task_context& context) {
  for (const auto at : {0.0, duration / 2}) {
    const auto last =
      decode_from(source, stream, at, frames_looked_at, context);
    if (!last)
      return last.error();
    if (*last < 0)
      return broken(stream, "does not decode at " + at_text(at));
  }
  const auto last = decode_from(
    source, stream, std::max(duration - end_part, 0.0), -1, context);
  if (!last)
    return last.error();
  // The shorter of two tracks ends before the film does: anywhere will do.
  if (*last < 0)
    return broken(stream, "does not decode at its end");
  return {};
}

result<void> check(const media::av_check_order& order,
                   const task_request& request, task_context& context) {
  auto opened = av_source::open({}, request, context);
  if (!opened)
    return opened.error();
  auto& source = **opened;
  if (auto looked = source.look_into(); !looked)
    return looked;
  auto& input = source.input();
  const auto lasts =
    static_cast<double>(std::max<std::int64_t>(input.duration, 0))
    / AV_TIME_BASE;
  if (std::abs(lasts - order.duration_s) > duration_slack)
    return fail(errc::invalid_media, "it lasts " + at_text(lasts) + ", not "
                                       + at_text(order.duration_s));
  bool video = false;
  bool audio = false;
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    auto& stream = *input.streams[i];
    const auto kind = stream.codecpar->codec_type;
    video |= kind == AVMEDIA_TYPE_VIDEO;
    audio |= kind == AVMEDIA_TYPE_AUDIO;
    if (auto good = check_stream(source, stream, lasts, context); !good)
      return good;
  }
  if (video != order.video || audio != order.audio)
    return fail(errc::invalid_media, "it has other tracks than it should");
  return {};
}

} // namespace

task_answer check_film(const task_request& request, task_context& context) {
  av_log_set_level(AV_LOG_QUIET);
  const auto order = media::read_av_check(request.params);
  if (!order || request.files.empty())
    return {errc::bad_params, "nothing can be checked like that"};
  const auto done = check(*order, request, context);
  if (!done)
    return {static_cast<errc>(done.error().code.value()),
            "what was made is not as it should be: " + done.error().detail};
  return {errc::none, "{}"};
}

} // namespace troupe::codec
