#pragma once

#include "config/settings.hpp"
#include "net/cli/findings.hpp"

namespace troupe::cli {

/// Looks for the programs that jobs run, and for what confines them.
void check_tools(findings& out, const config::tool_settings& tools);

/// Bears a codec child and tells what it is confined by, and what is missing.
void check_sandbox(findings& out, const config::sandbox_settings& sandbox);

} // namespace troupe::cli
