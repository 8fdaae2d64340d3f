#include "media/imaging/origin_pause.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace troupe::media {

namespace {

constexpr double longest_s = 3600;

class pause_category final : public std::error_category {
public:
  const char* name() const noexcept override {
    return "origin_pause";
  }
  std::string message(int seconds) const override {
    return "rate_limited: the source's server wants to be left alone for "
           + std::to_string(seconds) + " s";
  }
};

} // namespace

const std::error_category& origin_pause_category() noexcept {
  static const pause_category instance;
  return instance;
}

failure pause_of(double seconds) {
  const auto whole = std::ceil(std::clamp(seconds, 1.0, longest_s));
  return {{static_cast<int>(whole), origin_pause_category()}, {}};
}

} // namespace troupe::media
