#include "benchmarks/load/figures.hpp"

#include <algorithm>
#include <cstdio>

namespace troupe::load {

double figures::quantile_ms(double q) {
  if (latencies_us_.empty())
    return 0;
  const auto rank = std::min(
    latencies_us_.size() - 1,
    static_cast<std::size_t>(q * static_cast<double>(latencies_us_.size())));
  const auto at = latencies_us_.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(latencies_us_.begin(), at, latencies_us_.end());
  return static_cast<double>(*at) / 1000;
}

void print(const std::string& name, figures& of, std::uint64_t count,
           double seconds, std::uint64_t errors) {
  std::printf("{\"name\":\"%s\",\"count\":%llu,\"errors\":%llu,"
              "\"seconds\":%.3f,\"per_s\":%.0f,\"p50_ms\":%.3f,"
              "\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
              name.c_str(), static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(errors), seconds,
              static_cast<double>(count) / seconds, of.quantile_ms(0.5),
              of.quantile_ms(0.99), of.quantile_ms(1));
}

} // namespace troupe::load
