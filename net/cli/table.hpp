#pragma once

#include <string>
#include <vector>

namespace troupe::cli {

/// Prints rows on stdout with aligned columns; the first row is the heading.
void print_table(const std::vector<std::vector<std::string>>& rows);

} // namespace troupe::cli
