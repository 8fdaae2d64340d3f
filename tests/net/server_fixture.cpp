#include "server_fixture.hpp"

#include "net/openapi.hpp"
#include "net/router.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace troupe::net {

namespace {

/// Whether the document lists this status for what the request leads to.
bool is_documented(std::string_view method, std::string_view where,
                   int status) {
  static const router routes{all_routes()};
  static const auto document = boost::json::parse(openapi_document());
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
  const auto& path = document.at("paths").at(std::string{found.route->pattern});
  return path.at(name)
    .at("responses")
    .as_object()
    .contains(std::to_string(status));
}

} // namespace

raw_answer server_test::ask(std::string_view method, std::string_view target,
                            std::string_view body, std::string_view fields) {
  auto answer = connect().ask(method, target, body, fields);
  EXPECT_TRUE(answer.status == 0
              || is_documented(method, target, answer.status))
    << answer.status << " is not documented for " << method << ' ' << target;
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
    settings,
    server_parts{gateway, metrics, guard, library, [this] { return level; },
                 [this] {
                   return parts;
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
