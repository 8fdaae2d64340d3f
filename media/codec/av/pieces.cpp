#include "media/codec/av/pieces.hpp"

#include <unistd.h>

#include <algorithm>

namespace troupe::codec {

namespace {

constexpr int piece_block = 256 << 10;

} // namespace

pieces::pieces(int file, std::vector<media::pack_entry> parts)
  : file_(file), parts_(std::move(parts)), begins_{0},
    io_(avio_alloc_context(static_cast<unsigned char*>(av_malloc(piece_block)),
                           piece_block, 0, this, &read, nullptr, &seek)) {
  for (const auto& each : parts_)
    begins_.push_back(begins_.back() + each.size);
}

pieces::~pieces() {
  if (io_)
    av_freep(&io_->buffer);
  avio_context_free(&io_);
}

input_ptr pieces::open() {
  auto* raw = avformat_alloc_context();
  if (!raw || !io_)
    return nullptr;
  raw->pb = io_;
  options wanted;
  wanted.set("protocol_whitelist", "none");
  if (avformat_open_input(&raw, "", av_find_input_format("mov"), wanted.out())
      < 0)
    return nullptr;
  return input_ptr{raw};
}

int pieces::read(void* self, std::uint8_t* into, int room) {
  auto& my = *static_cast<pieces*>(self);
  const auto after = std::ranges::upper_bound(my.begins_, my.at_);
  if (after == my.begins_.end() || after == my.begins_.begin())
    return AVERROR_EOF;
  const auto n = static_cast<std::size_t>(after - my.begins_.begin() - 1);
  const auto inside = my.at_ - my.begins_[n];
  const auto count = std::min<std::int64_t>(room, *after - my.at_);
  const auto done = ::pread(my.file_, into, static_cast<std::size_t>(count),
                            static_cast<off_t>(my.parts_[n].at) + inside);
  if (done <= 0) {
    my.failed_ = true;
    return AVERROR(EIO);
  }
  my.at_ += done;
  return static_cast<int>(done);
}

std::int64_t pieces::seek(void* self, std::int64_t to, int whence) {
  auto& my = *static_cast<pieces*>(self);
  const auto size = my.begins_.back();
  switch (whence & ~AVSEEK_FORCE) {
  case AVSEEK_SIZE:
    return size;
  case SEEK_CUR:
    to += my.at_;
    break;
  case SEEK_END:
    to += size;
    break;
  default:
    break;
  }
  if (to < 0)
    return AVERROR(EINVAL);
  return my.at_ = to;
}

} // namespace troupe::codec
