#pragma once

#include "media/cache/cache_key.hpp"
#include "media/imaging/freshness.hpp"
#include "media/imaging/sniff.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::media {

/// What is known of a remote source.
struct remote_record {
  cache_key digest; ///< of its bytes
  std::uint64_t size = 0;
  image_look look;
  std::string etag;
  std::string last_modified;
  freshness_rules::clock::time_point checked;
};

/// The record as it is kept on disk: when it was checked by the wall clock.
[[nodiscard]] std::string
write_record(const remote_record& record,
             std::chrono::system_clock::time_point now,
             freshness_rules::clock::time_point steady_now);

/// What `write_record` wrote; nothing for anything else. What was checked later
/// than now was checked now.
[[nodiscard]] std::optional<remote_record>
read_record(std::string_view text, std::chrono::system_clock::time_point now,
            freshness_rules::clock::time_point steady_now);

} // namespace troupe::media
