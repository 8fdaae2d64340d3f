#pragma once

#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace troupe::media {

/// Six seconds: tones at the start, in the middle and at the end.
inline const std::string film_of_tones =
  "-f lavfi -i testsrc2=s=128x72:r=25:d=6 -f lavfi -i "
  "\"aevalsrc='0.8*sin(2*PI*1000*t)*(between(t,0,0.5)+"
  "between(t,2.9,3.4)+between(t,5.4,5.9))':s=48000:d=6\" "
  "-c:v libx264 -g 60 -pix_fmt yuv420p ";

/// Where a stretch of tone begins and ends, in seconds, one after the other.
/// @param bytes samples as f32le, 48 kHz, one channel
inline std::vector<double> borders_of_tone(const std::string& bytes) {
  std::vector<float> samples(bytes.size() / sizeof(float));
  std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
  std::vector<double> found;
  std::optional<std::size_t> heard;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (std::abs(samples[i]) < 0.2)
      continue;
    if (!heard || i - *heard > 4800) {
      if (heard)
        found.push_back(static_cast<double>(*heard) / 48'000);
      found.push_back(static_cast<double>(i) / 48'000);
    }
    heard = i;
  }
  if (heard)
    found.push_back(static_cast<double>(*heard) / 48'000);
  return found;
}

} // namespace troupe::media
