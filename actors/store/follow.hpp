#pragma once

#include "actors/store/job_store.hpp"
#include "actors/store/transaction.hpp"

namespace troupe::store {

/// One step through what is due: see `job_store::follow`.
void follow_step(transaction& in, const store_options& options, std::size_t max,
                 follow_result& out);

/// Adds what was followed to what a sweep has done.
void take_in(follow_result followed, sweep_result& out);

} // namespace troupe::store
