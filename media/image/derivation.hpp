#pragma once

#include "media/image/geometry.hpp"

#include <span>
#include <vector>

/// One decode, many sizes: which result's pixels another may be made of.
namespace troupe::media {

/// How one output of an order comes to be.
struct derivation {
  /// Index of the output whose scaled pixels it is made of; negative: the
  /// decoded source.
  std::int32_t from = -1;
  /// Its pixels, before they are cut, are what another is made of.
  bool feeds = false;
};

/// For each output of one source. `b` is made of `a` if `a` is the smallest
/// that is at least twice as large as `b` in both axes and has the same trim
/// and region of the source (option `c`, turned as asked, with the same
/// gravity if that is smart). What is passed on is scaled, but neither cut,
/// filtered, flattened, marked nor converted: so gravity, background, blur,
/// sharpen, watermark and profile of `a` leave no trace in `b`. Sizes always
/// come from the source's header.
/// @pre both spans have the same size.
[[nodiscard]] std::vector<derivation>
derivations_of(std::span<const image_options> outputs,
               std::span<const image_geometry> geometries);

/// An image that is kept.
struct made_variant {
  image_options options;
  image_format format = image_format::none; ///< it is stored as
  int quality = 0;                          ///< it was stored with
};

/// Whether `wanted` may be made of `kept` instead of their source: that is
/// stored without loss, or, if `lossy`, with a quality of 90 and more; shows
/// all of the same region of the source and nothing but that; and is at least
/// twice as large in both axes.
[[nodiscard]] bool can_feed(const image_facts& source, const made_variant& kept,
                            const image_options& wanted, bool lossy);

/// What is made of an image that took its source's place: a geometry in the
/// source's sizes, in those of that image.
[[nodiscard]] image_geometry geometry_within(pixel_size image,
                                             image_geometry by);

/// Indices in the order in which they can be made: what feeds goes first.
[[nodiscard]] std::vector<std::size_t>
making_order(std::span<const derivation> derivations);

/// The largest of 1, 2, 4, 8 by which the source may be shrunk while it is
/// decoded, so that what is left for every output to shrink keeps it sharp.
[[nodiscard]] int load_shrink(std::span<const image_geometry> geometries);

} // namespace troupe::media
