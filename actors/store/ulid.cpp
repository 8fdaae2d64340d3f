#include "actors/store/ulid.hpp"

#include <algorithm>
#include <string_view>

namespace troupe::store {

namespace {

std::uint64_t system_seed() {
  std::random_device source;
  return (std::uint64_t{source()} << 32) | source();
}

} // namespace

ulid_minter::ulid_minter() : generator_{system_seed()} {}

std::string ulid_minter::mint(timestamp_ms now) {
  const auto ms = static_cast<std::uint64_t>(std::max<timestamp_ms>(now, 0));
  if (ms <= last_ms_) {
    increment();
    return encode();
  }
  last_ms_ = ms;
  std::ranges::generate(random_,
                        [this] { return std::uint8_t(generator_() >> 56); });
  // Leaves room for 2^79 increments within the millisecond.
  random_[0] &= 0x7f;
  return encode();
}

void ulid_minter::increment() noexcept {
  for (auto byte = random_.rbegin(); byte != random_.rend(); ++byte)
    if (++*byte != 0)
      return;
  ++last_ms_;
}

std::string ulid_minter::encode() const {
  std::string text(26, '0');
  for (int i = 0; i < 10; ++i)
    text[i] = base32_digits[(last_ms_ >> (45 - 5 * i)) & 31];
  for (int half = 0; half < 2; ++half) {
    std::uint64_t bits = 0;
    for (int i = 0; i < 5; ++i)
      bits = (bits << 8) | random_[half * 5 + i];
    for (int i = 0; i < 8; ++i)
      text[10 + half * 8 + i] = base32_digits[(bits >> (35 - 5 * i)) & 31];
  }
  return text;
}

} // namespace troupe::store
