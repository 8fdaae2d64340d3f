#pragma once

#include "media/image/options.hpp"
#include "media/image/task.hpp"

/// Where the pixels of a result come from, by the source's header alone.
namespace troupe::media {

struct pixel_size {
  int width = 0;
  int height = 0;
  bool operator==(const pixel_size&) const = default;
};

struct pixel_box {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
  bool operator==(const pixel_box&) const = default;
};

/// How an image is turned: first, if so, its axes change places; then it is
/// mirrored. All eight of EXIF are such, and whatever is done to them.
struct turn {
  bool transpose = false;
  bool mirror_x = false;
  bool mirror_y = false;
  bool operator==(const turn&) const = default;
};

/// What EXIF's orientation (1 to 8) asks for, then `rot`, then `fl`.
[[nodiscard]] turn turn_of(int orientation, const image_options& options);

/// A box of the turned image, in the image as it is stored.
/// @param stored the size before turning
[[nodiscard]] pixel_box box_before(const turn& by, pixel_box box,
                                   pixel_size stored);

/// Sizes on the way from a source to a result; all but `stored` and `region`
/// are of the turned image.
struct image_geometry {
  pixel_size stored; ///< of the source
  turn turned;
  pixel_box region;   ///< what option `c` leaves, in the source as stored
  double scale_x = 1; ///< of the source as stored
  double scale_y = 1;
  pixel_size scaled;   ///< the region's, after scaling
  pixel_size cut;      ///< after cutting to width and height
  pixel_size extended; ///< after `ex` and `exar`
  pixel_size result;   ///< after `pd`
  double dpr = 1;      ///< times this, offsets and paddings
};

/// @param stored one frame of the source, after trimming
[[nodiscard]] image_geometry geometry_of(pixel_size stored, int orientation,
                                         const image_options& options);

/// Left and top of a part in a whole; it may lie outside if `overflows`.
/// @pre the gravity is not `smart`.
[[nodiscard]] pixel_box place(pixel_size whole, pixel_size part,
                              const image_gravity& gravity, double dpr,
                              bool overflows = false);

} // namespace troupe::media
