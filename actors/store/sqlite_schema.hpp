#pragma once

#include "actors/store/sqlite_db.hpp"

#include <memory>
#include <string>

namespace troupe::store {

/// Opens a job database, makes its tables if it is new, and sets it up for
/// durable groups of writes: WAL, synchronous FULL.
/// @param path of a file, or ":memory:", which needs neither.
/// @returns `bad_config` for a file that cannot be opened, belongs to another
/// program or was written by a newer Troupe; `corrupt` for no database.
[[nodiscard]] result<std::unique_ptr<sqlite_db>>
open_job_database(const std::string& path, int busy_ms);

} // namespace troupe::store
