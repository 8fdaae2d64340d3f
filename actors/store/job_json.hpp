#pragma once

#include "actors/store/job_store.hpp"

#include <string>

/// Jobs as clients see them; see "The job" in the API document. Leases, fences
/// and manifests are not shown. A job that is publishing shows as running.
namespace troupe::store {

/// Appends the job as a JSON object. `params` and `result` are spliced in as
/// they are.
/// @pre both are valid JSON (or empty: `{}` and `null`).
void append_json(std::string& out, const job& job);

/// Appends `{"fraction": …, "stage": …}`; what is unknown is `null`.
void append_json(std::string& out, const media::progress& progress);

/// Appends `{"code": …, "message": …, "retryable": …, "attempt": …}`.
void append_json(std::string& out, const job_error& error);

[[nodiscard]] std::string to_json(const job& job);

/// A page of a list, as `{"jobs":[…],"next_page_token":""}`.
[[nodiscard]] std::string to_json(const job_page& page);

} // namespace troupe::store
