#pragma once

#include "actors/store/job_store.hpp"

#include <string>

namespace troupe::store {

/// Appends `{"key": …, "concurrency": …, "rate_per_s": …}`.
void append_json(std::string& out, const key_limit& limit);

/// Appends `{"id": …, "name": …, "paused": …, "depth": {…}, …}`; `id` is the
/// name.
void append_json(std::string& out, const queue_info& queue);

} // namespace troupe::store
