#pragma once

#include <string_view>

/// The files of `lua/`, embedded at build time.
namespace troupe::store::lua {

extern const std::string_view apply;

} // namespace troupe::store::lua
