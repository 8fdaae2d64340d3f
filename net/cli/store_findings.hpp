#pragma once

#include "config/settings.hpp"
#include "net/cli/findings.hpp"

namespace troupe::cli {

/// Opens the job store and looks whether all its invariants hold: of a file
/// that no server uses, under its folder's lock; beside a running server,
/// without disturbing it.
/// @param repair mends what does not hold: a file only while no server uses it
void check_store(findings& out, const config::settings& settings, bool repair);

} // namespace troupe::cli
