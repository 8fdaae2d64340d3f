#include "net/cli/api.hpp"
#include "net/cli/commands.hpp"
#include "net/cli/params.hpp"

#include <boost/json.hpp>

#include <iostream>

namespace troupe::cli {

namespace {

namespace json = boost::json;

/// The schema of a type's params; null for a type that the server has not.
outcome<json::value> params_schema(const server_address& at,
                                   const std::string& type) {
  auto types = ask(at, "GET", "/v1/job-types");
  if (!types)
    return types.error();
  if (const auto* all = member_of(*types, "job_types").if_array())
    for (const auto& one : *all)
      if (text_of(one, "name") == type)
        return member_of(one, "params");
  return json::value{};
}

json::object body_of(const submit_options& options, json::object params) {
  json::object body;
  body["type"] = options.type;
  body["params"] = std::move(params);
  if (options.priority)
    body["priority"] = *options.priority;
  if (!options.at.empty())
    body["run_at"] = options.at;
  if (!options.tags.empty())
    body["tags"] = json::value_from(options.tags);
  return body;
}

} // namespace

int submit(const client_options& to, const submit_options& options) {
  auto at = find_server(to);
  if (!at)
    return at.error().code;
  auto schema = params_schema(*at, options.type);
  if (!schema)
    return schema.error().code;
  auto params = make_params(options.params, *schema);
  if (!params) {
    complain(params.error().detail);
    return exit_usage;
  }
  const auto body = json::serialize(body_of(options, std::move(*params)));
  auto job = ask(*at, "POST", "/v1/jobs", body);
  if (!job)
    return job.error().code;
  const auto id = text_of(*job, "id");
  if (to.json)
    print_json(*job);
  else
    std::cout << id << "  " << text_of(*job, "state") << std::endl;
  return options.watch ? watch(to, {id}) : exit_done;
}

} // namespace troupe::cli
