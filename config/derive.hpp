#pragma once

#include "config/load.hpp"

#include <functional>

namespace troupe::config {

/// Says where a key was written, for messages.
using whereabouts = std::function<std::string(std::string_view key)>;

/// Makes paths absolute, fills in what is empty because it is derived, and
/// checks how the values fit together.
/// @pre each value is good by itself.
void derive(settings& values, const sources& from, const whereabouts& where,
            std::vector<problem>& problems);

} // namespace troupe::config
