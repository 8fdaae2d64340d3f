#include "server_fixture.hpp"

#include "net/openapi.hpp"
#include "net/router.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace troupe::net {

namespace {

const boost::json::value& document() {
  static const auto whole = boost::json::parse(openapi_document());
  return whole;
}

/// Whether the type is one of those of a response, such as `image/*`.
bool holds_type(const boost::json::object& response, const raw_answer& answer) {
  const auto at = answer.fields.find("content-type");
  if (answer.body.empty() || at == answer.fields.end())
    return answer.body.empty();
  const auto type = at->second.substr(0, at->second.find(';'));
  const auto* content = response.if_contains("content");
  return content
         && std::ranges::any_of(content->as_object(), [&](const auto& each) {
              const std::string_view told{each.key()};
              return told == "*/*" || told == type
                     || (told.ends_with("/*")
                         && type.starts_with(told.substr(0, told.size() - 1)));
            });
}

/// Whether the document tells of the answer's status, and then of its type, for
/// what the request leads to.
bool is_documented(std::string_view method, std::string_view where,
                   const raw_answer& answer) {
  static const router routes{all_routes()};
  target read;
  if (!parse_target(where, read))
    return true;
  const auto found = routes.find(verb_of(method), read);
  if (!found.route)
    return true;
  std::string name{to_string(found.route->method)};
  std::ranges::transform(name, name.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  const auto& path =
    document().at("paths").at(std::string{found.route->pattern});
  const auto* told = path.at(name)
                       .at("responses")
                       .as_object()
                       .if_contains(std::to_string(answer.status));
  if (!told)
    return false;
  if (const auto* elsewhere = told->as_object().if_contains("$ref"))
    told = &document().at_pointer(elsewhere->as_string().subview(1));
  return holds_type(told->as_object(), answer);
}

} // namespace

raw_answer server_test::ask(std::string_view method, std::string_view target,
                            std::string_view body, std::string_view fields) {
  auto answer = connect().ask(method, target, body, fields);
  EXPECT_TRUE(answer.status == 0 || is_documented(method, target, answer))
    << answer.status << ' ' << answer.fields["content-type"]
    << " is not documented for " << method << ' ' << target;
  return answer;
}

server_test::server_test() {
  settings.listen = "127.0.0.1:0";
  std::string folder =
    (std::filesystem::temp_directory_path() / "troupe-net-XXXXXX").string();
  library = ::mkdtemp(folder.data());
  restart();
}

server_test::~server_test() {
  gateway.release();
  running.reset();
  std::filesystem::remove_all(library);
}

void server_test::restart() {
  running.reset();
  running = std::make_unique<server>(
    settings, server_parts{.gateway = gateway,
                           .metrics = metrics,
                           .guard = guard,
                           .library = library,
                           .durability = [this] { return level; },
                           .health = [this] { return parts; },
                           .retire =
                             [this] {
                               ++retired;
                             }});
  const auto bound = running->listen();
  ASSERT_TRUE(bound) << bound.error().message();
  port = *bound;
  running->run();
}

void server_test::leave_file(const std::string& name,
                             std::string_view content) {
  const auto folder = library / "Someone";
  std::filesystem::create_directories(folder);
  std::ofstream{folder / name} << content;
  store::job job;
  job.id = "done";
  job.type = "noop";
  job.state = store::job_state::succeeded;
  job.result = boost::json::serialize(
    boost::json::object{{"path", (folder / name).string()}});
  gateway.add(job);
}

boost::json::value json_of(const raw_answer& answer) {
  boost::system::error_code error;
  auto out = boost::json::parse(answer.body, error);
  return error ? boost::json::value(nullptr) : out;
}

std::string code_of(const raw_answer& answer) {
  const auto body = json_of(answer);
  const auto type = answer.fields.find("content-type");
  if (type == answer.fields.end() || type->second != "application/problem+json"
      || !body.is_object())
    return {};
  EXPECT_EQ(body.at("status").to_number<int>(), answer.status);
  return std::string{body.at("code").as_string()};
}

std::vector<std::string> pointers_of(const raw_answer& answer) {
  std::vector<std::string> out;
  const auto body = json_of(answer);
  if (!body.is_object() || !body.get_object().contains("errors"))
    return out;
  for (const auto& each : body.at("errors").as_array())
    out.emplace_back(each.at("pointer").as_string());
  return out;
}

} // namespace troupe::net
