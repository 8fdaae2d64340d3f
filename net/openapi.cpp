#include "net/openapi.hpp"

#include "media/job_types.hpp"
#include "media/plain_json.hpp"

#include <boost/json.hpp>

#include <array>
#include <utility>

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

/// What any request may be answered with, whatever it asks for.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> common{
  {{"400", "Malformed"},
   {"403", "Forbidden"},
   {"405", "NotAllowed"},
   {"408", "TooSlow"},
   {"413", "TooLarge"},
   {"415", "MediaType"},
   {"417", "Unexpected"},
   {"422", "Invalid"},
   {"431", "LargeHeader"},
   {"500", "Internal"},
   {"503", "Unavailable"},
   {"504", "Deadline"}}};

void add_common(bj::object& responses) {
  for (const auto& [status, name] : common)
    if (const bj::string_view key{status.data(), status.size()};
        !responses.contains(key))
      responses[key] = {
        {"$ref", "#/components/responses/" + std::string{name}}};
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
  for (auto& path : document.at("paths").as_object())
    for (auto& member : path.value().as_object())
      if (member.key() != "parameters")
        add_common(member.value().at("responses").as_object());
  return media::plain_json(document);
}

} // namespace

const std::string& openapi_document() {
  static const std::string document = make_document();
  return document;
}

} // namespace troupe::net
