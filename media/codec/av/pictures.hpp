#pragma once

#include "config/result.hpp"
#include "media/av/task.hpp"
#include "media/codec/pointers.hpp"

struct AVFilterContext;

namespace troupe::codec {

/// Makes pictures as a rung wants them: deinterlaced, scaled, turned, tone
/// mapped, 8 bit 4:2:0. Times stay what they are.
class picture_filter {
public:
  /// @param rotation clockwise, in degrees @param base of the frames' times
  picture_filter(const media::av_video_settings& wanted, int rotation,
                 AVRational base)
    : wanted_(wanted), rotation_(rotation), base_(base) {}

  /// Takes one; null: there is no more. Frames of another kind than before
  /// start it anew, losing what it has not given yet.
  [[nodiscard]] result<void> put(frame_ptr frame);
  /// Null: it needs another one, or there is no more.
  [[nodiscard]] result<frame_ptr> take();

private:
  [[nodiscard]] result<void> begin(const AVFrame& like);
  [[nodiscard]] bool fits(const AVFrame& frame) const;

  media::av_video_settings wanted_;
  int rotation_;
  AVRational base_;
  graph_ptr graph_;
  AVFilterContext* in_ = nullptr;
  AVFilterContext* out_ = nullptr;
  int width_ = 0;
  int height_ = 0;
  int format_ = -1;
};

} // namespace troupe::codec
