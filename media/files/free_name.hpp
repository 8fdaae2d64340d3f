#pragma once

#include <string>

namespace troupe::media {

/// `name` with ` (number)` behind its stem, at most 255 bytes long: a longer
/// stem is cut between code points.
/// @param stem the beginning of `name` that the files of a job share; if
///   `name` begins otherwise, all before its extension.
[[nodiscard]] std::string numbered(const std::string& name,
                                   const std::string& stem, unsigned number);

/// A file's name without its extension: `a.b` of `a.b.mp4`.
[[nodiscard]] std::string stem_of(const std::string& name);

} // namespace troupe::media
