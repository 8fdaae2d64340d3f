#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Boxes of ISO/IEC 14496-12.
namespace troupe::codec {

/// Where the first box of this type begins among those of [from, to); npos:
/// there is none, or what is there is cut.
[[nodiscard]] std::size_t find_box(std::string_view bytes,
                                   std::string_view type, std::size_t from,
                                   std::size_t to);

/// Gives the one track of an init segment an edit list (8.6.6) that begins at
/// `media_time`. False if there is no track.
[[nodiscard]] bool add_edit(std::string& init, std::uint32_t media_time);

} // namespace troupe::codec
