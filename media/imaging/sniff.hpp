#pragma once

#include "media/image/options.hpp"
#include "media/imaging/accept.hpp"

#include <optional>
#include <string_view>

namespace troupe::media {

/// What the first bytes of an image tell. Not proved: a codec child looks at
/// all of it.
struct image_look {
  image_format format = image_format::none;
  bool animated = false;     ///< GIF: perhaps
  std::optional<bool> alpha; ///< none: not told there
};

/// Of the first bytes that `look_at` wants.
inline constexpr std::size_t look_bytes = 64;

/// Reads magic numbers, and the flags of a PNG's or WebP's header.
[[nodiscard]] image_look look_at(std::string_view head);

/// The format for a URL that names none: the best that is accepted, else the
/// source's own, which is `none` here; one that not every client shows
/// becomes what keeps all of it.
[[nodiscard]] image_format choose_format(const image_look& source,
                                         accepted_formats accepted);

} // namespace troupe::media
