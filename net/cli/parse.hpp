#pragma once

namespace troupe::cli {

/// Reads the command line and does what it asks. @returns the exit code.
int run(int argc, char** argv);

} // namespace troupe::cli
