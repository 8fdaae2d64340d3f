#pragma once

#include "media/image/option_arguments.hpp"

#include <span>
#include <string_view>

namespace troupe::media {

/// One option of the grammar: how its arguments become part of the options.
struct option_word {
  std::string_view name;  ///< long
  std::string_view brief; ///< short; may be the same
  std::size_t most;       ///< arguments
  /// False, with the options as they were or not, if they make no sense.
  bool (*read)(image_options&, image_arguments::arguments);
};

/// All but `preset`.
[[nodiscard]] std::span<const option_word> option_words();

/// Whether imgproxy's paid version has such an option.
[[nodiscard]] bool is_paid_option(std::string_view name);

} // namespace troupe::media
