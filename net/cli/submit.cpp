#include "media/plain_json.hpp"
#include "net/cli/api.hpp"
#include "net/cli/commands.hpp"
#include "net/cli/params.hpp"

#include <boost/json.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

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

std::optional<std::string> text_in(const std::string& file) {
  std::ifstream opened;
  if (file != "-")
    opened.open(file);
  auto& in = file == "-" ? std::cin : opened;
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (in.bad() || (file != "-" && !opened.is_open()))
    return std::nullopt;
  return text;
}

int submit_batch(const server_address& at, const client_options& to,
                 const std::string& file) {
  const auto body = text_in(file);
  if (!body) {
    complain("cannot read " + file);
    return exit_usage;
  }
  auto done = ask(at, "POST", "/v1/jobs/batch", *body);
  if (!done)
    return done.error().code;
  const auto& batch = member_of(*done, "batch");
  if (to.json)
    print_json(*done);
  else
    std::cout << text_of(batch, "id") << "  "
              << static_cast<long>(number_of(batch, "total")) << " jobs"
              << std::endl;
  return exit_done;
}

} // namespace

int submit(const client_options& to, const submit_options& options) {
  if (options.type.empty() == options.batch.empty()) {
    complain("name a type of job, or a file with --batch");
    return exit_usage;
  }
  auto at = find_server(to);
  if (!at)
    return at.error().code;
  if (!options.batch.empty())
    return submit_batch(*at, to, options.batch);
  auto schema = params_schema(*at, options.type);
  if (!schema)
    return schema.error().code;
  auto params = make_params(options.params, *schema);
  if (!params) {
    complain(params.error().detail);
    return exit_usage;
  }
  const auto body = media::plain_json(body_of(options, std::move(*params)));
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
