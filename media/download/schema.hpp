#pragma once

#include <string_view>

namespace troupe::media {

/// JSON Schemas of the `download` job type.
extern const std::string_view download_params_schema;
extern const std::string_view download_result_schema;

} // namespace troupe::media
