#include "media/codec/av/film_file.hpp"

#include "media/codec/av/failing.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace troupe::codec {

namespace {

using media::errc;

constexpr int film_block = 256 << 10;
constexpr AVRational opus_unit{1, 48'000};

unsigned char* make_block() {
  return static_cast<unsigned char*>(av_malloc(film_block));
}

void free_io(AVIOContext* io) {
  if (io)
    av_freep(&io->buffer);
  avio_context_free(&io);
}

/// A second place in the file, from which what was written is read again when
/// the index is put in front of it.
struct second_look {
  int file;
  std::int64_t at = 0;

  static int read(void* self, std::uint8_t* into, int room) {
    auto& my = *static_cast<second_look*>(self);
    const auto done =
      ::pread(my.file, into, static_cast<std::size_t>(room), my.at);
    if (done < 0)
      return AVERROR(errno);
    my.at += done;
    return done == 0 ? AVERROR_EOF : static_cast<int>(done);
  }

  static std::int64_t seek(void* self, std::int64_t to, int whence) {
    auto& my = *static_cast<second_look*>(self);
    switch (whence & ~AVSEEK_FORCE) {
    case SEEK_SET:
      return my.at = to;
    case SEEK_CUR:
      return my.at += to;
    default:
      return AVERROR(ENOSYS);
    }
  }
};

int close_again(AVFormatContext*, AVIOContext* io) {
  const std::unique_ptr<second_look> look{
    static_cast<second_look*>(io->opaque)};
  free_io(io);
  return 0;
}

} // namespace

result<std::unique_ptr<film_file>>
film_file::begin(int file, const std::string& container) {
  std::unique_ptr<film_file> made{new film_file{file}};
  const auto* format = container == "mkv" ? "matroska" : container.c_str();
  AVFormatContext* raw = nullptr;
  if (const int done =
        avformat_alloc_output_context2(&raw, nullptr, format, nullptr);
      done < 0)
    return av_failure(done, "a muxer");
  made->muxer_.reset(raw);
  made->io_ = avio_alloc_context(make_block(), film_block, 1, made.get(),
                                 nullptr, &write_bytes, &seek);
  if (!made->io_)
    return fail(errc::memory);
  raw->pb = made->io_;
  raw->opaque = made.get();
  raw->io_open = &film_file::open_again;
  raw->io_close2 = &close_again;
  raw->flags |= AVFMT_FLAG_BITEXACT | AVFMT_FLAG_CUSTOM_IO;
  return made;
}

film_file::~film_file() {
  // Its owner frees what a muxer has written to memory, which this is not.
  if (muxer_)
    muxer_->pb = nullptr;
  free_io(io_);
}

result<AVStream*> film_file::add_track(const AVStream& like) {
  auto* track = avformat_new_stream(muxer_.get(), nullptr);
  if (!track || avcodec_parameters_copy(track->codecpar, like.codecpar) < 0)
    return fail(errc::memory);
  track->codecpar->codec_tag = 0;
  if (track->codecpar->codec_id == AV_CODEC_ID_HEVC
      && std::strcmp(muxer_->oformat->name, "mp4") == 0)
    track->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
  track->time_base = like.time_base;
  // What has no rate of its own is told none.
  if (av_cmp_q(like.avg_frame_rate, like.r_frame_rate) == 0)
    track->avg_frame_rate = like.avg_frame_rate;
  return track;
}

result<void> film_file::write_head() {
  options wanted;
  wanted.set("movflags", "faststart");
  wanted.set("cues_to_front", "1");
  if (const int done = avformat_write_header(muxer_.get(), wanted.out());
      done < 0)
    return failure_of(done, "the film cannot be begun");
  return {};
}

result<void> film_file::write(AVPacket& packet, AVRational base) {
  const auto* track = muxer_->streams[packet.stream_index];
  const auto delay = av_rescale_q(opus_delay(*track), opus_unit, base);
  packet.pts += delay;
  packet.dts += delay;
  av_packet_rescale_ts(&packet, base, track->time_base);
  packet.pos = -1;
  if (const int done = av_write_frame(muxer_.get(), &packet); done < 0)
    return failure_of(done, "a packet cannot be written");
  return {};
}

/// What must be added to a track's times for the muxer to keep them.
std::int64_t film_file::opus_delay(const AVStream& track) const {
  const bool mp4 = std::strcmp(muxer_->oformat->name, "mp4") == 0;
  const auto& codec = *track.codecpar;
  return mp4 || adds_opus_delay || codec.codec_id != AV_CODEC_ID_OPUS
           ? 0
           : codec.initial_padding;
}

result<void> film_file::finish() {
  const int done = av_write_trailer(muxer_.get());
  avio_flush(io_);
  if (done < 0 || error_ != 0)
    return failure_of(done < 0 ? done : AVERROR(error_),
                      "the film cannot be ended");
  return {};
}

failure film_file::failure_of(int code, const char* what) const {
  if (error_ == ENOSPC || error_ == EDQUOT)
    return fail(errc::disk_full, what);
  if (error_ != 0)
    return fail(errc::io_error,
                std::string{what} + ": " + std::strerror(error_));
  return av_failure(code, what);
}

std::int64_t film_file::seek(void* self, std::int64_t to, int whence) {
  auto& my = *static_cast<film_file*>(self);
  if ((whence & ~AVSEEK_FORCE) == AVSEEK_SIZE) {
    const auto size = ::lseek(my.file_, 0, SEEK_END);
    return size < 0 ? AVERROR(EIO) : size;
  }
  if ((whence & ~AVSEEK_FORCE) == SEEK_CUR)
    to += my.at_;
  return my.at_ = to;
}

int film_file::write_bytes(void* self, io_bytes* from, int count) {
  auto& my = *static_cast<film_file*>(self);
  for (int done = 0; done < count;) {
    const auto now = ::pwrite(my.file_, from + done,
                              static_cast<std::size_t>(count - done), my.at_);
    if (now < 0 && errno == EINTR)
      continue;
    if (now <= 0) {
      my.error_ = now < 0 ? errno : EIO;
      return AVERROR(my.error_);
    }
    done += static_cast<int>(now);
    my.at_ += now;
  }
  return count;
}

int film_file::open_again(AVFormatContext* muxer, AVIOContext** io, const char*,
                          int how, AVDictionary**) {
  if ((how & AVIO_FLAG_WRITE) != 0)
    return AVERROR(EPERM);
  auto look = std::make_unique<second_look>(
    second_look{static_cast<film_file*>(muxer->opaque)->file_});
  *io = avio_alloc_context(make_block(), film_block, 0, look.get(),
                           &second_look::read, nullptr, &second_look::seek);
  if (!*io)
    return AVERROR(ENOMEM);
  static_cast<void>(look.release());
  return 0;
}

} // namespace troupe::codec
