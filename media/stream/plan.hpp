#pragma once

#include "media/stream/line.hpp"
#include "media/stream/wish.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// What is offered to one client of one source. Shared and never changed.
struct stream_plan {
  source_ptr source;
  std::shared_ptr<const av_index> index;
  stream_mode mode = stream_mode::automatic; ///< what became of the wish
  std::vector<line_ptr> video;               ///< best first
  std::vector<line_ptr> audio;
  std::vector<line_ptr> text;
  std::uint32_t target_s = 1; ///< EXT-X-TARGETDURATION of all playlists
  double start_s = 0;
  std::string why_not_copied; ///< the video; empty: it is, or there is none

  /// Null: there is none.
  [[nodiscard]] line_ptr find(std::string_view name) const;
};
using plan_ptr = std::shared_ptr<const stream_plan>;

/// How many times faster than it plays this machine makes a rung.
using speed_guess =
  std::function<double(const av_track& video, const av_rung& rung)>;

/// Renditions for a wish: the source's video copied if the client plays it, and
/// encodings that are smaller; else encodings. The smallest is offered however
/// slow, where there is no other. Each audio track is copied or becomes AAC,
/// text subtitles become WebVTT.
///   bad_params     no such track, or subtitles that are pictures; nothing to
///                  copy for `remux`; the detail begins with the member of the
///                  wish: `audio: there is no such track`
///   invalid_media  neither video nor audio
[[nodiscard]] result<plan_ptr> make_plan(const stream_wish& wish,
                                         source_ptr source,
                                         std::shared_ptr<const av_index> index,
                                         const speed_guess& speed,
                                         double least_speed);

/// By pixels, as one thread of a small virtual machine was seen to be.
[[nodiscard]] double usual_speed(const av_track& video, const av_rung& rung);

} // namespace troupe::media
