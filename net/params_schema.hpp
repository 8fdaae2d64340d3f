#pragma once

#include "media/job_types.hpp"
#include "net/json_reader.hpp"

#include <memory>

namespace troupe::net {

/// Checks the params of one job type against the JSON Schema that is also
/// served; parsed once.
class params_schema {
public:
  /// @throws std::runtime_error if the type's schema is none: a defect
  explicit params_schema(const media::job_type& type);
  ~params_schema();
  params_schema(params_schema&&) noexcept;

  [[nodiscard]] const media::job_type& type() const noexcept;

  /// Notes everything that is wrong, with pointers beneath `pointer`.
  void check(simdjson::dom::object params, const std::string& pointer,
             field_errors& errors) const;

  /// True if the params may hold a field of this name.
  [[nodiscard]] bool takes(std::string_view field) const noexcept;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::net
