#pragma once

#include "media/image/options.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace troupe::media {

/// Rules that allow all there is, with a watermark to lay on.
inline option_rules with_mark() {
  option_rules rules;
  rules.has_watermark = true;
  return rules;
}

/// What `text` asks for; none, and a failure, if it cannot be read.
inline image_options options_of(std::string_view text) {
  const auto read = parse_options(text, with_mark());
  EXPECT_TRUE(read) << text << ": " << (read ? "" : read.error().detail);
  return read ? *read : image_options{};
}

} // namespace troupe::media
