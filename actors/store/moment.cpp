#include "actors/store/moment.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>

#include <time.h>

namespace troupe::store {

namespace {

const std::string& this_boot() {
  static const std::string id = [] {
    std::ifstream file{"/proc/sys/kernel/random/boot_id"};
    std::string line;
    std::getline(file, line);
    return line;
  }();
  return id;
}

} // namespace

moment moment_now() {
  timespec up{};
  ::clock_gettime(CLOCK_BOOTTIME, &up);
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {this_boot(), up.tv_sec * 1000 + up.tv_nsec / 1'000'000,
          std::chrono::duration_cast<std::chrono::milliseconds>(wall).count()};
}

std::int64_t ms_between(const moment& from, const moment& to) noexcept {
  const bool same_boot = !from.boot.empty() && from.boot == to.boot;
  return std::max<std::int64_t>(
    same_boot ? to.up_ms - from.up_ms : to.wall - from.wall, 0);
}

} // namespace troupe::store
