#pragma once

#include "actors/store/folder_lock.hpp"
#include "config/result.hpp"

#include <filesystem>
#include <string>

namespace troupe::cli {

/// The server's own folder, held for as long as this lives: one server at a
/// time. The server's URL stands in `address`, where commands look for it.
class data_folder {
public:
  /// Makes the folder where it is missing.
  /// `store::errc::locked` if another server holds it.
  [[nodiscard]] static result<data_folder>
  hold(const std::filesystem::path& dir);

  data_folder(data_folder&& other) noexcept = default;
  ~data_folder();

  [[nodiscard]] result<void> announce(const std::string& url);
  void retract() noexcept;

private:
  data_folder(const std::filesystem::path& dir, store::folder_lock lock)
    : address_(dir / "address"), lock_(std::move(lock)) {}

  std::filesystem::path address_; ///< empty after a move
  store::folder_lock lock_;
};

} // namespace troupe::cli
