#pragma once

#include "config/result.hpp"
#include "media/av/task.hpp"
#include "media/codec/av/decoding.hpp"
#include "media/codec/av/pictures.hpp"
#include "media/codec/av/source.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace troupe::codec {

/// Makes H.264 of a track, segment after segment: the decoder goes on from one
/// to the next, each segment has an encoder of its own, so that it is the same
/// whoever makes it.
///
/// Invariant: all frames before `next_start_` have been taken from the decoder,
/// `held_` among none of them.
class video_run {
public:
  [[nodiscard]] static result<std::unique_ptr<video_run>>
  open(av_source& source, const media::av_order& order);

  /// True if this can make the order's segment: the same track, made alike.
  [[nodiscard]] bool fits(const media::av_order& order) const;

  /// `invalid_media` where nothing can be decoded.
  [[nodiscard]] result<media::av_result> make(const media::av_order& order,
                                              task_context& context);

private:
  struct segment;

  video_run(av_source& source, const media::av_order& order, decoding decoder,
            int rotation);

  [[nodiscard]] result<void> enter(const media::av_order& order);
  [[nodiscard]] result<frame_ptr> next_picture(std::int64_t start);
  [[nodiscard]] result<void> fill(segment& made);
  [[nodiscard]] result<void> stand_in(segment& made);
  [[nodiscard]] result<media::av_result> finish(segment& made);

  av_source* source_;
  media::av_order like_; ///< of which track, how
  decoding decoder_;
  picture_filter filter_;
  int rotation_;
  std::int64_t next_start_ = INT64_MIN; ///< INT64_MIN: nowhere yet
  frame_ptr held_;                      ///< prepared, of a later segment
  frame_ptr before_;                ///< decoded, the last before the segment
  frame_ptr shown_;                 ///< prepared, the last of all
  std::int64_t newest_ = INT64_MIN; ///< time of the last frame taken
};

} // namespace troupe::codec
