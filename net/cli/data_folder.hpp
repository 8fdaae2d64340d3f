#pragma once

#include "config/result.hpp"
#include "media/descriptor.hpp"

#include <filesystem>
#include <string>

namespace troupe::cli {

/// The server's own folder, held for as long as this lives: one server at a
/// time. The lock goes with the process, however that ends.
class data_folder {
public:
  /// Makes the folder (mode 0700) where it is missing.
  /// `std::errc::device_or_resource_busy` if another server holds it.
  [[nodiscard]] static result<data_folder>
  hold(const std::filesystem::path& dir);

  data_folder(data_folder&&) = default;
  ~data_folder();

  /// Leaves the server's URL in `address`, where commands look for it.
  [[nodiscard]] result<void> announce(const std::string& url);
  /// Takes it away again.
  void retract() noexcept;

private:
  data_folder(std::filesystem::path dir, media::descriptor lock)
    : dir_(std::move(dir)), lock_(std::move(lock)) {}

  std::filesystem::path dir_;
  media::descriptor lock_;
};

} // namespace troupe::cli
