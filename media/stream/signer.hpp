#pragma once

#include "config/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// Signs the ids of streams for the paths that players use, where no header
/// can be set: HMAC-SHA256, its first 16 bytes, base64url without padding.
class stream_signer {
public:
  /// @param keys as bytes; the first signs, each is good. @pre there is one
  explicit stream_signer(std::vector<std::string> keys)
    : keys_(std::move(keys)) {}

  [[nodiscard]] std::string sign(std::string_view id) const;
  /// Takes the same time wherever they differ.
  [[nodiscard]] bool is_good(std::string_view id,
                             std::string_view signature) const;

private:
  std::vector<std::string> keys_;
};

/// The keys that the settings give in hex; none: one that is kept in `file`,
/// and made if there is none. `io_error`. Blocks.
[[nodiscard]] result<std::vector<std::string>>
load_stream_keys(const std::vector<std::string>& hex,
                 const std::filesystem::path& file);

} // namespace troupe::media
