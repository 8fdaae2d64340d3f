#pragma once

#include "media/egress/address_guard.hpp"
#include "media/image/options.hpp"
#include "net/job_submit.hpp"
#include "net/json_reader.hpp"
#include "net/params_schema.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::net {

/// Where a job is asked for; decides which members it may have.
enum class job_place : std::uint8_t {
  alone,    ///< `POST /v1/jobs`, or a WebSocket's `submit`
  batch,    ///< an entry of `POST /v1/jobs/batch`: may name siblings, `#0`
  schedule, ///< what a schedule submits: has no time and no parents of its own
};

/// Reads one job as clients ask for it. Keeps the schemas of all job types.
class job_reader {
public:
  /// @param images how options of images are read
  explicit job_reader(const media::address_guard& guard,
                      media::option_rules images = {});

  /// Notes everything that is wrong; `out` is good if nothing was. Members
  /// that it does not know are left for the caller.
  void read(object_reader& in, job_place place, field_errors& errors,
            submit_request& out) const;

private:
  [[nodiscard]] const params_schema* find(std::string_view type) const;
  const params_schema* read_type(object_reader& in) const;
  void read_params(object_reader& in, const params_schema* schema,
                   job_place place, field_errors& errors,
                   store::job_draft& out) const;
  void check_sources(simdjson::dom::object params, const params_schema& schema,
                     const std::string& pointer, field_errors& errors) const;

  const media::address_guard& guard_;
  const media::option_rules images_;
  std::vector<params_schema> schemas_;
};

/// Reads `callback_url`, which passes the same guard as sources.
void read_callback_url(object_reader& in, const media::address_guard& guard,
                       std::string& out);

/// The problem that these errors are.
/// @pre there are some
[[nodiscard]] problem problem_from(field_errors& errors);

/// Reads a body that is an object: calls `read(object_reader&, field_errors&)`
/// and refuses members that it did not ask for.
template <class Read>
std::optional<problem> read_body(std::string_view body, Read&& read) {
  json_parser parser;
  simdjson::dom::element document;
  if (auto fault = parser.parse(body, document))
    return fault;
  simdjson::dom::object object;
  if (document.get(object))
    return problem{problem_code::invalid_params,
                   "the body must be an object",
                   {{"", "must be an object", {}}}};
  field_errors errors;
  object_reader in{object, "", errors};
  read(in, errors);
  in.finish();
  if (errors.empty())
    return std::nullopt;
  return problem_from(errors);
}

} // namespace troupe::net
