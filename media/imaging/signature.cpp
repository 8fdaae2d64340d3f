#include "media/imaging/signature.hpp"

#include "media/encoding.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace troupe::media {

url_signer::url_signer(const config::image_settings& settings)
  : size_(settings.signature_size) {
  for (std::size_t i = 0; i < settings.keys.size(); ++i)
    pairs_.push_back(
      {bytes_of_hex(settings.keys[i]), bytes_of_hex(settings.salts.at(i))});
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
