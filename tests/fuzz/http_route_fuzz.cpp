#include "net/byte_range.hpp"
#include "net/rfc3339.hpp"
#include "net/router.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace troupe::net {

namespace {

constexpr std::array routes{
  route{verb::get, "/v1/jobs", nullptr},
  route{verb::get, "/v1/jobs/{id}", nullptr},
  route{verb::post, "/v1/jobs/{id}/cancel", nullptr},
  route{verb::get, "/v1/jobs/{id}/files/{name}", nullptr},
};

void try_range(std::string_view text) {
  for (const std::uint64_t size : {0ul, 1ul, 10ul, ~0ul}) {
    std::vector<byte_range> ranges;
    const auto verdict = read_ranges(text, size, ranges);
    if ((verdict == range_verdict::part) == ranges.empty()
        || ranges.size() > most_ranges)
      std::abort();
    std::uint64_t left = size;
    for (const auto& range : ranges) {
      if (range.length == 0 || range.offset >= size || range.length > left
          || range.length > size - range.offset)
        std::abort();
      left -= range.length;
    }
  }
}

void try_target(std::string_view text) {
  static const router table{routes};
  target where;
  if (!parse_target(text, where))
    return;
  const auto found = table.find(verb::get, where);
  if (found.route && found.params.size() > 0 && where.segments.size() < 3)
    std::abort();
}

} // namespace

} // namespace troupe::net

/// A request's target, and the other small texts of its header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  troupe::net::try_target(text);
  troupe::net::try_range(text);
  (void)troupe::net::parse_rfc3339(text);
  return 0;
}
