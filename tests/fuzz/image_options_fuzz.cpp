#include "media/image/options.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

/// A path is read or refused; what was read has one canonical text, which says
/// the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace troupe::media;
  if (size > 4000)
    return 0;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  option_rules rules;
  rules.has_watermark = true;
  const auto read = parse_image_path(text, rules);
  if (!read) {
    if (read.error().detail.empty())
      std::abort();
    return 0;
  }
  const auto once = canonical_text(read->options);
  const auto again = parse_options(once, rules);
  if (!again || canonical_text(*again) != once)
    std::abort();
  return 0;
}
