#include "media/job_types.hpp"

#include "media/noop/noop.hpp"

#include <algorithm>
#include <array>

namespace troupe::media {

std::span<const job_type> job_types() noexcept {
  static const std::array types{
    job_type{"noop", "bulk",
             "Does nothing, for tests and benchmarks: sleeps, fails or writes "
             "a file as asked.",
             noop_params_schema, noop_result_schema},
  };
  return types;
}

const job_type* find_job_type(std::string_view name) noexcept {
  const auto types = job_types();
  const auto at = std::ranges::find(types, name, &job_type::name);
  return at == types.end() ? nullptr : &*at;
}

std::string default_concurrency_key(std::string_view, std::string_view) {
  return {};
}

} // namespace troupe::media
