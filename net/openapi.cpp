#include "net/openapi.hpp"

#include "media/job_types.hpp"

#include <boost/json.hpp>

namespace troupe::net {

namespace {

namespace bj = boost::json;

bj::value parse(std::string_view text) {
  return bj::parse({text.data(), text.size()});
}

/// What a request for a job of this type looks like.
bj::object request_of(const media::job_type& type) {
  const std::string name{type.name};
  bj::object properties;
  properties["type"] = {{"const", name}};
  properties["params"] = {{"$ref", "#/components/schemas/" + name + "_params"}};
  return {{"title", name}, {"properties", std::move(properties)}};
}

std::string make_document() {
  auto document = parse(openapi_text());
  auto& schemas = document.at("components").at("schemas").as_object();
  bj::array requests;
  for (const auto& type : media::job_types()) {
    const std::string name{type.name};
    schemas[name + "_params"] = parse(type.params_schema);
    schemas[name + "_result"] = parse(type.result_schema);
    requests.push_back(request_of(type));
  }
  schemas["JobRequest"].as_object()["oneOf"] = std::move(requests);
  return bj::serialize(document);
}

} // namespace

const std::string& openapi_document() {
  static const std::string document = make_document();
  return document;
}

} // namespace troupe::net
