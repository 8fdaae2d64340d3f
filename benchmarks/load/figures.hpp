#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe::load {

using clock = std::chrono::steady_clock;

/// Latencies, kept one by one: runs are short enough.
class figures {
public:
  void add(clock::duration latency) {
    add_us(std::chrono::duration<double, std::micro>(latency).count());
  }
  void add_us(double latency_us) {
    latencies_us_.push_back(static_cast<float>(latency_us));
  }
  [[nodiscard]] std::size_t count() const noexcept {
    return latencies_us_.size();
  }
  /// In milliseconds; `q` in 0…1. 0 without latencies.
  [[nodiscard]] double quantile_ms(double q);

private:
  std::vector<float> latencies_us_;
};

/// Prints one line of JSON: name, count, seconds, per second, p50, p99, max.
/// @param count of what is counted; there is a latency per one or more of it
void print(const std::string& name, figures& of, std::uint64_t count,
           double seconds, std::uint64_t errors);

} // namespace troupe::load
