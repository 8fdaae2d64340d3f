#include "media/codec/probe_input.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace troupe::codec {

namespace {

/// Demuxers that read one file and nothing else.
constexpr const char* formats_taken =
  "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,dv,eac3,flac,flv,gif,h264,hevc,"
  "ivf,m4v,matroska,mov,mp3,mpeg,mpegts,mpegvideo,mxf,nut,obu,ogg,srt,ass,"
  "truehd,tta,w64,wav,webvtt,wv";

/// Decoders that libavformat may ask what a container does not tell.
constexpr const char* codecs_taken =
  "aac,aac_latm,ac3,adpcm_ima_wav,adpcm_ms,alac,amrnb,amrwb,ape,ass,av1,dca,"
  "dvdsub,dvvideo,eac3,ffv1,flac,flv,gif,h263,h264,hevc,libdav1d,libopus,"
  "libvorbis,mjpeg,mlp,mov_text,mp2,mp2float,mp3,mp3float,mpeg1video,"
  "mpeg2video,mpeg4,msmpeg4,msmpeg4v2,opus,pcm_alaw,pcm_bluray,pcm_dvd,"
  "pcm_f32be,pcm_f32le,pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16le,pcm_s24be,"
  "pcm_s24le,pcm_s32be,pcm_s32le,pcm_s8,pcm_u8,pgssub,png,prores,rawvideo,srt,"
  "ssa,subrip,text,theora,truehd,tta,vc1,vorbis,vp6f,vp8,vp9,wavpack,webvtt,"
  "wmapro,wmav1,wmav2,wmv1,wmv2,wmv3";

constexpr int block = 64 << 10;

} // namespace

bool may_decode(std::string_view decoder) {
  std::string_view rest = codecs_taken;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    if (rest.substr(0, comma) == decoder)
      return true;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return false;
}

probe_input::probe_input(int file, task_context& context)
  : probe_input(file, ::lseek(file, 0, SEEK_END), context) {}

probe_input::probe_input(std::int64_t size, task_context& context)
  : probe_input(-1, size, context) {}

probe_input::probe_input(int file, std::int64_t size, task_context& context)
  : file_(file), context_(&context), size_(size),
    io_(avio_alloc_context(static_cast<unsigned char*>(av_malloc(block)), block,
                           0, this, &read, nullptr, &seek)) {}

probe_input::~probe_input() {
  if (io_)
    av_freep(&io_->buffer);
  avio_context_free(&io_);
}

input_ptr probe_input::open() {
  AVFormatContext* raw = avformat_alloc_context();
  if (!raw || !io_)
    return nullptr;
  raw->pb = io_;
  options wanted;
  wanted.set("format_whitelist", formats_taken);
  wanted.set("codec_whitelist", codecs_taken);
  // No protocol has this name: what a container refers to is not opened.
  wanted.set("protocol_whitelist", "none");
  // On failure it frees the context, but not what it reads from.
  if (avformat_open_input(&raw, "", nullptr, wanted.out()) < 0)
    return nullptr;
  return input_ptr{raw};
}

std::ptrdiff_t probe_input::read_at(std::int64_t from, std::uint8_t* into,
                                    std::size_t room) {
  if (file_ >= 0)
    return ::pread(file_, into, room, from);
  return context_->read_at(static_cast<std::uint64_t>(from), {into, room});
}

int probe_input::read(void* self, std::uint8_t* into, int room) {
  auto& my = *static_cast<probe_input*>(self);
  const auto count = my.read_at(my.at_, into, static_cast<std::size_t>(room));
  if (count < 0) {
    my.failed_ = true;
    return AVERROR(EIO);
  }
  if (count == 0)
    return AVERROR_EOF;
  my.at_ += count;
  my.read_ += static_cast<std::uint64_t>(count);
  my.context_->progress(
    my.read_, static_cast<std::uint64_t>(std::max<std::int64_t>(my.size_, 0)));
  return static_cast<int>(count);
}

std::int64_t probe_input::seek(void* self, std::int64_t to, int whence) {
  auto& my = *static_cast<probe_input*>(self);
  switch (whence & ~AVSEEK_FORCE) {
  case AVSEEK_SIZE:
    return my.size_ < 0 ? AVERROR(ENOSYS) : my.size_;
  case SEEK_SET:
    break;
  case SEEK_CUR:
    to += my.at_;
    break;
  case SEEK_END:
    if (my.size_ < 0)
      return AVERROR(ENOSYS);
    to += my.size_;
    break;
  default:
    return AVERROR(EINVAL);
  }
  if (to < 0)
    return AVERROR(EINVAL);
  return my.at_ = to;
}

} // namespace troupe::codec
