#pragma once

#include "config/result.hpp"
#include "media/attempt.hpp"

#include <string>

namespace troupe::media {

/// What stands at a file's final name.
enum class occupant {
  nobody,
  ours, ///< the staged file itself, or one of its size and hash
  foreign,
  folder, ///< not even `replace` takes its place
};

/// @param folder descriptor of the final folder, or -1 if there is none yet.
[[nodiscard]] result<occupant> occupant_of(int folder, const std::string& name,
                                           const staged_file& file);

/// Gives the staged file its name without overwriting any; `foreign` if the
/// name is taken. Hard link, or else a rename: `staged` is gone then.
[[nodiscard]] result<occupant> place_new(int folder, const std::string& name,
                                         const staged_file& file);

/// What `place_new` does where hard links are missing.
[[nodiscard]] result<occupant>
place_by_rename(int folder, const std::string& name, const staged_file& file);

/// Gives the staged file its name in place of what may be there, atomically.
[[nodiscard]] result<void> place_over(int folder, const std::string& name,
                                      const staged_file& file);

} // namespace troupe::media
