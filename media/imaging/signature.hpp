#pragma once

#include "config/settings.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::media {

/// The signatures of image URLs: HMAC-SHA256 over salt and path, cut to
/// `images.signature_size` bytes, base64url without padding; imgproxy's.
/// Without keys every signature is good.
class url_signer {
public:
  explicit url_signer(const config::image_settings& settings);

  /// Whether one of the keys has signed it; takes the same time wherever they
  /// differ.
  /// @param path what follows the signature, `/` included, as in the request
  [[nodiscard]] bool is_good(std::string_view signature,
                             std::string_view path) const;

  /// The signature by the first key; empty without keys.
  [[nodiscard]] std::string sign(std::string_view path) const;

private:
  struct pair {
    std::string key, salt;
  };
  [[nodiscard]] std::string digest(const pair& by, std::string_view path) const;

  std::vector<pair> pairs_;
  std::size_t size_;
};

} // namespace troupe::media
