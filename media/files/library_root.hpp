#pragma once

#include "config/result.hpp"
#include "media/descriptor.hpp"

#include <filesystem>
#include <utility>

namespace troupe::media {

/// An open library. Its folders are reached beneath it only: a symbolic link
/// that leads out of it is an error (`openat2` with RESOLVE_BENEATH; where the
/// kernel has none, no link is followed at all). Blocks.
class library_root {
public:
  [[nodiscard]] static result<library_root>
  open(const std::filesystem::path& path);

  /// Opens a folder. One that is missing is no error: no descriptor then.
  /// @param relative without `..`; empty is the library itself.
  [[nodiscard]] result<descriptor>
  folder(const std::filesystem::path& relative) const;

  /// Opens a file to be read, without waiting for the writer of a FIFO. One
  /// that is missing is no error: no descriptor then. A link that leads out is
  /// `source_forbidden`.
  /// @param relative without `..`
  [[nodiscard]] result<descriptor>
  file(const std::filesystem::path& relative) const;

  /// Opens a folder, made with its parents where missing; each parent is
  /// synced.
  [[nodiscard]] result<descriptor>
  made_folder(const std::filesystem::path& relative) const;

private:
  library_root(descriptor root, std::filesystem::path path)
    : root_(std::move(root)), path_(std::move(path)) {}

  descriptor root_;
  std::filesystem::path path_;
};

} // namespace troupe::media
