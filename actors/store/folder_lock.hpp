#pragma once

#include "actors/store/errc.hpp"
#include "config/result.hpp"

#include <filesystem>
#include <string>

namespace troupe::store {

/// The right to use a data folder, held by one process at a time: a lock on
/// `{folder}/lock`, which names the holder's pid. The system lets it go when
/// the process dies, however it dies; children do not inherit it.
///
/// Invariant: `file_` is the locked descriptor, or -1 after a move.
class folder_lock {
public:
  /// Makes the folder if need be, for its user alone (0700).
  /// @returns `locked` with the holder's pid in the detail; `bad_config` for a
  /// folder that cannot be made or written, `disk_full`.
  [[nodiscard]] static result<folder_lock>
  take(const std::filesystem::path& folder);

  folder_lock(folder_lock&& other) noexcept;
  folder_lock& operator=(folder_lock&& other) noexcept;
  ~folder_lock();

private:
  explicit folder_lock(int file) noexcept : file_{file} {}

  int file_ = -1;
};

/// Who this node is, over restarts: kept in `{folder}/node-id`, made when
/// first asked for. Lower-case hex, 16 characters.
/// @pre the folder's lock is held.
/// @returns `bad_config` or `disk_full` when it cannot be read or written.
[[nodiscard]] result<std::string>
node_id_of(const std::filesystem::path& folder);

} // namespace troupe::store
