#pragma once

#include "config/result.hpp"
#include "media/cache/cache_key.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::media {

/// Files named by the digest of what they hold. Each begins with a header:
/// eight bytes that say what it is, the length, the digest. A file is written
/// under another name and renamed when it is whole, so that a killed server
/// leaves none that is torn; it is not synced, so that a lost machine may:
/// who reads looks at length and digest. Blocks; thread-safe.
class blob_folder {
public:
  /// Makes the folders; removes what an earlier life has left half written.
  [[nodiscard]] static result<blob_folder> open(std::filesystem::path folder);
  blob_folder(blob_folder&& other) noexcept
    : folder_(std::move(other.folder_)) {}

  /// A whole file under a private name, to be given to `keep`.
  [[nodiscard]] result<std::filesystem::path> write(const cache_key& digest,
                                                    std::string_view bytes);
  /// Gives it its name; replaces one of that name, which holds the same.
  [[nodiscard]] result<void> keep(const std::filesystem::path& written,
                                  const cache_key& digest);
  void discard(const std::filesystem::path& written);

  /// Nothing if there is no such file; one that is not what its name says is
  /// `checksum_failed`.
  [[nodiscard]] result<std::optional<std::string>>
  read(const cache_key& digest) const;
  void remove(const cache_key& digest);

  /// Removes files for which `wanted` says no.
  /// @return how many
  std::size_t sweep(const std::function<bool(const cache_key& digest)>& wanted);

private:
  explicit blob_folder(std::filesystem::path folder)
    : folder_(std::move(folder)) {}
  [[nodiscard]] std::filesystem::path path_of(const cache_key& digest) const;

  std::filesystem::path folder_;
  std::atomic<std::uint64_t> number_ = 0; ///< of the next private name
};

} // namespace troupe::media
