#include "media/imaging/signature.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>

namespace troupe::media {

namespace {

/// @pre pairs of hexadecimal digits
std::string bytes_of(std::string_view hex) {
  std::string out;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    unsigned char byte = 0;
    std::from_chars(hex.data() + at, hex.data() + at + 2, byte, 16);
    out += static_cast<char>(byte);
  }
  return out;
}

/// RFC 4648, 5, without padding.
std::string base64url(std::string_view bytes) {
  static constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6)
      out += digits[held >> (bits - 6) & 63];
  }
  if (bits > 0)
    out += digits[held << (6 - bits) & 63];
  return out;
}

} // namespace

url_signer::url_signer(const config::image_settings& settings)
  : size_(settings.signature_size) {
  for (std::size_t i = 0; i < settings.keys.size(); ++i)
    pairs_.push_back(
      {bytes_of(settings.keys[i]), bytes_of(settings.salts.at(i))});
}

std::string url_signer::digest(const pair& by, std::string_view path) const {
  const auto text = by.salt + std::string{path};
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), by.key.data(), static_cast<int>(by.key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       out.data(), &size);
  return base64url({reinterpret_cast<const char*>(out.data()), size_});
}

bool url_signer::is_good(std::string_view signature,
                         std::string_view path) const {
  bool good = pairs_.empty();
  for (const auto& each : pairs_) {
    const auto due = digest(each, path);
    good |= due.size() == signature.size()
            && CRYPTO_memcmp(due.data(), signature.data(), due.size()) == 0;
  }
  return good;
}

std::string url_signer::sign(std::string_view path) const {
  return pairs_.empty() ? std::string{} : digest(pairs_.front(), path);
}

} // namespace troupe::media
