#pragma once

#include "media/attempt.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace troupe::media {

/// How far a conversion is, in seconds of media.
class transcode_meter {
public:
  using clock = std::chrono::steady_clock;

  transcode_meter() = default;
  transcode_meter(double duration_s, std::size_t pieces,
                  clock::time_point now = clock::now());

  /// @param work of the whole's 1 @param made now, by us: it tells the speed
  void add(double work, bool made);

  /// What is under way beside what is there. @param work of the whole's 1
  void set_partial(double work) {
    partial_ = work;
  }

  [[nodiscard]] progress now(clock::time_point at = clock::now()) const;
  /// What comes before and after encoding.
  [[nodiscard]] progress at_stage(std::string stage) const;
  /// What is to be stored now; empty: it was, lately.
  [[nodiscard]] std::string checkpoint(clock::time_point now = clock::now());

private:
  double duration_s_ = 0;
  std::size_t pieces_ = 0;
  std::size_t done_ = 0;
  double share_ = 0; ///< that is there, of 1
  double partial_ = 0;
  double fresh_ = 0; ///< of it, made by this attempt
  clock::time_point began_;
  clock::time_point remember_at_;
};

} // namespace troupe::media
