#pragma once

#include "config/result.hpp"
#include "media/av/join_task.hpp"
#include "media/codec/av/pieces.hpp"
#include "media/codec/pointers.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace troupe::codec {

/// One track of a pack: its packets in the order of decoding, with the times
/// that one file has.
///
/// Video's times of decoding are made of those of presentation, as late as its
/// order allows; segments carry some that leave room for any. Audio begins with
/// its primer, at times before 0. Invariant: `ready_` holds packets with all
/// times set; `read_` is what was read behind them.
class joined_track {
public:
  /// `invalid_media` for parts that are not there, or no film.
  [[nodiscard]] static result<std::unique_ptr<joined_track>>
  open(const media::av_join_track& what,
       const std::vector<media::pack_entry>& all, int pack);

  [[nodiscard]] const AVStream& like() const noexcept {
    return *input_->streams[0];
  }
  [[nodiscard]] AVRational base() const noexcept {
    return like().time_base;
  }

  /// The next packet, still here; null at the end.
  [[nodiscard]] result<const AVPacket*> peek();
  /// @pre `peek` gave one
  [[nodiscard]] packet_ptr take();

private:
  joined_track(const media::av_join_track& what, int pack,
               std::vector<media::pack_entry> parts)
    : what_(what), pieces_(pack, std::move(parts)) {}

  [[nodiscard]] result<void> begin(int pack,
                                   std::vector<media::pack_entry> primer);
  [[nodiscard]] result<void> prime(int pack,
                                   std::vector<media::pack_entry> primer);
  [[nodiscard]] result<packet_ptr> read();
  [[nodiscard]] result<void> fill();
  [[nodiscard]] result<void> fill_video();
  [[nodiscard]] std::int64_t end() const;
  [[nodiscard]] std::int64_t frame_length() const; ///< of audio
  void set_delay(const std::vector<packet_ptr>& group);

  const media::av_join_track what_;
  pieces pieces_;
  input_ptr input_;
  std::deque<packet_ptr> ready_;
  packet_ptr read_; ///< of video: the next group's key
  bool ended_ = false;
  // of video
  int delay_ = -1; ///< frames that wait to be shown; -1: not known yet
  std::vector<std::int64_t>
    shown_; ///< times before the group, `delay_` of them
};

} // namespace troupe::codec
