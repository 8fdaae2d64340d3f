#include "media/callback/sender.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace troupe::media {

namespace {

constexpr double first_wait_s = 2;
constexpr double longest_wait_s = 3600;
constexpr double jitter = 0.2;

} // namespace

std::string callback_signature(std::string_view secret,
                               std::string_view timestamp,
                               std::string_view body) {
  std::string signed_text{timestamp};
  signed_text.append(".").append(body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(signed_text.data()),
       signed_text.size(), mac.data(), &size);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "sha256=";
  for (unsigned i = 0; i < size; ++i) {
    out += digits[mac[i] >> 4];
    out += digits[mac[i] & 15];
  }
  return out;
}

callback_verdict verdict_on(const callback_answer& answer) {
  const auto status = answer.status;
  if (status >= 200 && status < 300)
    return callback_verdict::delivered;
  const bool may_pass = status == 408 || status == 425 || status == 429;
  if (answer.forbidden || (status >= 400 && status < 500 && !may_pass))
    return callback_verdict::never;
  return callback_verdict::again;
}

std::chrono::milliseconds callback_wait(std::uint32_t attempt,
                                        double retry_after_s, double random) {
  const auto doublings = static_cast<int>(std::min(attempt, 30u)) - 1;
  auto wait = std::min(std::ldexp(first_wait_s, doublings), longest_wait_s);
  wait *= 1 + jitter * (2 * random - 1);
  wait = std::max(wait, std::clamp(retry_after_s, 0.0, longest_wait_s));
  return std::chrono::milliseconds{std::llround(wait * 1000)};
}

} // namespace troupe::media
