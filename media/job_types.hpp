#pragma once

#include "media/job_cost.hpp"

#include <span>
#include <string>
#include <string_view>

namespace troupe::media {

/// A kind of job: what it takes, what it leaves, who works on it.
struct job_type {
  std::string_view name;
  std::string_view queue;         ///< also the pool's name
  std::string_view summary;       ///< one sentence, for the documents
  std::string_view params_schema; ///< JSON Schema, draft 2020-12
  std::string_view result_schema;
  /// What one is taken to need until some have run.
  job_cost cost = {0.1, 16u << 20, 0, 0};
};

/// All types that this build can run.
[[nodiscard]] std::span<const job_type> job_types() noexcept;

/// Null for an unknown name.
[[nodiscard]] const job_type* find_job_type(std::string_view name) noexcept;

/// The group that a job of this type belongs to unless its submitter says
/// otherwise: for downloads `host:` and the URL's host; empty for none.
/// @param params a JSON object, valid by the type's schema.
[[nodiscard]] std::string default_concurrency_key(std::string_view type,
                                                  std::string_view params);

} // namespace troupe::media
