#pragma once

#include "config/result.hpp"
#include "media/av/task.hpp"
#include "media/codec/pointers.hpp"
#include "media/codec/probe_input.hpp"
#include "media/codec/worker.hpp"
#include "media/descriptor.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace troupe::codec {

/// A file that is open for one task after the other. Times are libav's own, of
/// each stream.
class av_source {
public:
  /// @param request its first file is read unless the order says to ask
  [[nodiscard]] static result<std::unique_ptr<av_source>>
  open(const media::av_order& order, const task_request& request,
       task_context& context);

  /// Goes on for another task.
  void serve(task_context& context);

  [[nodiscard]] AVFormatContext& input() noexcept {
    return *input_;
  }
  [[nodiscard]] probe_input& bytes() noexcept {
    return *bytes_;
  }
  /// The stream; null: there is none of this number.
  [[nodiscard]] AVStream* stream(std::uint32_t number);

  /// True if the container tells where each key is: MP4, Matroska.
  [[nodiscard]] bool has_index() const;
  [[nodiscard]] bool is_mp4() const;
  [[nodiscard]] bool is_matroska() const;
  /// It is read by asking, over a network perhaps.
  [[nodiscard]] bool is_far() const noexcept {
    return !file_;
  }

  /// Reads on until all streams are known, where the container does not tell
  /// enough. Once.
  [[nodiscard]] result<void> look_into();

  /// From here on `next` gives packets of this stream alone.
  void choose(const AVStream& stream);

  /// Before the stream's key at `pts`, or the last one before it; then
  /// `skip_to` finds it.
  [[nodiscard]] result<void> seek(const AVStream& stream, std::int64_t pts);
  /// To the file's begin.
  void rewind();

  /// The next packet; null at the end, which a broken file may have early.
  [[nodiscard]] result<packet_ptr> next();

  /// The stream's key at `pts`, where packets then go on: null if there is
  /// none. @param exact false: the last key before it will do, or what comes
  /// first.
  [[nodiscard]] result<packet_ptr> find_key(const AVStream& stream,
                                            std::int64_t pts, bool exact);

  /// The stream's last packet at or before `time` that can be found quickly,
  /// or its first, where packets then go on. For audio and subtitles.
  [[nodiscard]] result<packet_ptr> find_before(const AVStream& stream,
                                               std::int64_t time);

private:
  av_source() = default;

  /// What the container's index is of: seeks of other streams go by it.
  [[nodiscard]] const AVStream& seekable(const AVStream& stream);

  media::descriptor file_; ///< none: bytes are asked for
  std::unique_ptr<probe_input> bytes_;
  input_ptr input_;
  bool looked_ = false;
};

/// Of presentation, or what else is known of its time.
[[nodiscard]] std::int64_t time_of(const AVPacket& packet);

} // namespace troupe::codec
