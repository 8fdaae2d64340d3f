#pragma once

#include <string_view>

namespace troupe::media {

/// Why a drawing is not read, by its text alone; empty: it is. Entities may be
/// short words (at most 256 bytes, at most 10,000 times) and nothing that is
/// made of others or lies elsewhere; the text must be in ASCII, Latin 1 or
/// UTF-8, so that nothing is hidden from this (XML 1.0, 4.2 and 4.3.3).
[[nodiscard]] std::string_view svg_fault(std::string_view text);

} // namespace troupe::media
