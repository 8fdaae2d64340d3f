#pragma once

#include "media/image/task.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What a codec child is asked to show of a video, and what it answers.
namespace troupe::media {

enum class video_view : std::uint8_t {
  stills,  ///< pictures at given times
  scenes,  ///< where the picture changes most
  sprite,  ///< one sheet of small pictures, for scrubbing
  preview, ///< an animation
};

/// What is to be made. Times are seconds from the video's begin.
struct video_wish {
  video_view view = video_view::stills;
  std::vector<double> at_s;   ///< of stills; empty: at a tenth of it
  std::uint32_t count = 5;    ///< scenes, at most; the first is where it begins
  double every_s = 10;        ///< between two pictures of a sprite, at least
  std::uint32_t columns = 10; ///< of a sprite
  double from_s = -1;         ///< of a preview; negative: at a tenth of it
  double length_s = 3;        ///< of a preview
  double fps = 8;             ///< of a preview
  image_options options;      ///< of each picture; neither trim nor watermark
};

inline constexpr std::uint32_t most_stills = 64;     ///< and scenes, of a wish
inline constexpr std::uint32_t most_tiles = 400;     ///< of a sprite
inline constexpr std::uint32_t most_previewed = 240; ///< pictures of a preview

struct video_order {
  std::vector<video_wish> wishes;
  image_limits limits;
};

/// What was made of one wish.
struct video_made {
  errc code = errc::none; ///< or why nothing was
  std::string message;
  std::vector<image_made> images; ///< one, or one for each still or scene
  std::vector<double> times;      ///< of stills, scenes and a sprite's pictures
  std::uint32_t columns = 0;      ///< of a sprite
  std::uint32_t tile_width = 0;
  std::uint32_t tile_height = 0;
};

struct video_result {
  double duration_s = 0;        ///< 0: unknown
  std::vector<video_made> made; ///< one for each wish
};

[[nodiscard]] std::string encode_video_order(const video_order& order);
[[nodiscard]] result<video_order> read_video_order(std::string_view params);

[[nodiscard]] std::string encode_video_result(const video_result& made);
/// `errc::internal` for what no child of ours says.
[[nodiscard]] result<video_result> read_video_result(std::string_view bytes);

/// A sprite's index: which part of its sheet shows which seconds (WebVTT with
/// media fragments, as players expect it of thumbnails).
/// @param sheet the sheet's file name
[[nodiscard]] std::string webvtt_of(const video_made& sprite, double duration_s,
                                    std::string_view sheet);

} // namespace troupe::media
