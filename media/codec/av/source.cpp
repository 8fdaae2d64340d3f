#include "media/codec/av/source.hpp"

#include "media/codec/av/failing.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace troupe::codec {

namespace {

using media::errc;

/// What their containers tell of them is enough.
constexpr std::array plain_audio{AV_CODEC_ID_AAC,  AV_CODEC_ID_AC3,
                                 AV_CODEC_ID_EAC3, AV_CODEC_ID_OPUS,
                                 AV_CODEC_ID_FLAC, AV_CODEC_ID_VORBIS};

/// Broken packets in a row that are skipped.
constexpr int most_broken = 1000;

/// Seconds before a key from which it is looked for, until it is found.
constexpr std::array steps_back{0.0, 2.0, 10.0, 40.0};

bool tells_all(const AVStream& stream) {
  const auto& codec = *stream.codecpar;
  switch (codec.codec_type) {
  case AVMEDIA_TYPE_VIDEO:
    return (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0
           || (codec.codec_id == AV_CODEC_ID_H264 && codec.width > 0
               && codec.extradata_size > 7 && codec.extradata[0] == 1);
  case AVMEDIA_TYPE_AUDIO:
    return std::ranges::find(plain_audio, codec.codec_id) != plain_audio.end()
           && codec.sample_rate > 0
           && (codec.codec_id != AV_CODEC_ID_AAC || codec.extradata_size > 1);
  default:
    return true;
  }
}

/// Times beyond are of broken files, and would overflow.
constexpr std::int64_t far_future = std::int64_t{1} << 56;

void forget_nonsense(AVPacket& packet) {
  for (auto* each : {&packet.pts, &packet.dts})
    if (*each > far_future || *each < -far_future)
      *each = AV_NOPTS_VALUE;
  packet.duration =
    std::clamp<std::int64_t>(packet.duration, 0, std::int64_t{1} << 32);
}

bool is_called(const AVFormatContext& input, std::string_view name) {
  return std::string_view{input.iformat->name}.starts_with(name);
}

} // namespace

result<std::unique_ptr<av_source>> av_source::open(const media::av_order& order,
                                                   const task_request& request,
                                                   task_context& context) {
  std::unique_ptr<av_source> made{new av_source};
  if (order.asks) {
    made->bytes_ = std::make_unique<probe_input>(order.source_size, context);
  } else {
    if (!request.files.empty())
      made->file_ = media::descriptor{::dup(request.files.front())};
    if (!made->file_)
      return fail(errc::bad_params, "neither a file nor a size is given");
    made->bytes_ = std::make_unique<probe_input>(made->file_.get(), context);
    if (made->bytes_->size() < 0)
      return fail(errc::io_error, "the file cannot be read");
  }
  made->input_ = made->bytes_->open();
  if (made->bytes_->failed())
    return fail(errc::io_error, "the source cannot be read");
  if (!made->input_)
    return fail(errc::invalid_media, "no known media format");
  return made;
}

void av_source::serve(task_context& context) {
  bytes_->serve(context);
}

AVStream* av_source::stream(std::uint32_t number) {
  return number < input_->nb_streams ? input_->streams[number] : nullptr;
}

bool av_source::is_mp4() const {
  return is_called(*input_, "mov");
}

bool av_source::is_matroska() const {
  return is_called(*input_, "matroska");
}

bool av_source::has_index() const {
  return is_mp4() || is_matroska();
}

result<void> av_source::look_into() {
  if (looked_)
    return {};
  looked_ = true;
  const std::span streams{input_->streams, input_->nb_streams};
  const bool plain = has_index() && !streams.empty()
                     && std::ranges::all_of(streams, [](const AVStream* each) {
                          return tells_all(*each);
                        });
  if (plain) {
    for (auto* each : streams)
      if (each->codecpar->codec_id == AV_CODEC_ID_AAC)
        each->codecpar->frame_size = 1024;
    return {};
  }
  const int done = avformat_find_stream_info(input_.get(), nullptr);
  if (bytes_->failed())
    return fail(errc::io_error, "the source cannot be read");
  if (done < 0 || input_->nb_streams == 0)
    return fail(errc::invalid_media, "no stream can be read");
  return {};
}

void av_source::choose(const AVStream& stream) {
  for (auto* each : std::span{input_->streams, input_->nb_streams})
    each->discard =
      each->index == stream.index ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
}

void av_source::rewind() {
  // What has no index is read from its first byte.
  if (!has_index() && av_seek_frame(input_.get(), -1, 0, AVSEEK_FLAG_BYTE) >= 0)
    return;
  if (av_seek_frame(input_.get(), -1, 0, AVSEEK_FLAG_BACKWARD) < 0)
    avformat_seek_file(input_.get(), -1, INT64_MIN, 0, INT64_MAX, 0);
}

result<void> av_source::seek(const AVStream& stream, std::int64_t pts) {
  const int done =
    av_seek_frame(input_.get(), stream.index, pts, AVSEEK_FLAG_BACKWARD);
  if (bytes_->failed())
    return fail(errc::io_error, "the source cannot be read");
  // Before the first of all: libav knows no way there but the begin.
  if (done < 0)
    rewind();
  return {};
}

result<packet_ptr> av_source::next() {
  packet_ptr packet{av_packet_alloc()};
  if (!packet)
    return fail(errc::memory);
  for (int broken = 0; broken < most_broken; ++broken) {
    const int done = av_read_frame(input_.get(), packet.get());
    if (bytes_->failed())
      return fail(errc::io_error, "the source cannot be read");
    if (done == AVERROR_EOF)
      return packet_ptr{};
    if (done == AVERROR(ENOMEM))
      return av_failure(done, "reading");
    if (done < 0)
      continue;
    const auto* from = input_->streams[packet->stream_index];
    if (from->discard != AVDISCARD_ALL) {
      forget_nonsense(*packet);
      return packet;
    }
    av_packet_unref(packet.get());
    broken = 0;
  }
  return packet_ptr{};
}

result<packet_ptr> av_source::find_key(const AVStream& stream, std::int64_t pts,
                                       bool exact) {
  for (std::size_t i = 0; i <= steps_back.size(); ++i) {
    if (i == steps_back.size()) {
      rewind();
    } else {
      const auto back =
        av_rescale_q(static_cast<std::int64_t>(steps_back[i] * AV_TIME_BASE),
                     AV_TIME_BASE_Q, stream.time_base);
      if (auto done = seek(stream, pts - back); !done)
        return done.error();
    }
    const bool last = i == steps_back.size();
    for (;;) {
      auto packet = next();
      if (!packet)
        return packet;
      if (!*packet)
        break;
      const bool key = ((*packet)->flags & AV_PKT_FLAG_KEY) != 0;
      const auto at = time_of(**packet);
      if (!key || at == AV_NOPTS_VALUE)
        continue;
      if (at == pts || (!exact && (at <= pts || last)))
        return packet;
      if (at > pts)
        break;
    }
  }
  return packet_ptr{};
}

const AVStream& av_source::seekable(const AVStream& stream) {
  // Matroska's cues are of one track, mostly.
  if (!is_matroska()
      || avformat_index_get_entries_count(const_cast<AVStream*>(&stream)) > 1)
    return stream;
  const int main =
    av_find_best_stream(input_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  return main < 0 ? stream : *input_->streams[main];
}

result<packet_ptr> av_source::find_before(const AVStream& stream,
                                          std::int64_t time) {
  packet_ptr first;
  for (const auto step : steps_back) {
    const auto& by = seekable(stream);
    const auto back = static_cast<std::int64_t>(step * AV_TIME_BASE);
    const auto at = av_rescale_q(time, stream.time_base, by.time_base)
                    - av_rescale_q(back, AV_TIME_BASE_Q, by.time_base);
    if (auto done = seek(by, at); !done)
      return done.error();
    auto packet = next();
    if (!packet)
      return packet;
    if (*packet && time_of(**packet) <= time)
      return packet;
    first = std::move(*packet);
  }
  // The index led to the track's very first one, which primes a decoder and may
  // come before time 0, where a rewind leads.
  if (first && is_mp4())
    return first;
  rewind();
  return next();
}

std::int64_t time_of(const AVPacket& packet) {
  return packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
}

} // namespace troupe::codec
