#include "server_fixture.hpp"

#include <cstdlib>
#include <fstream>

namespace troupe::net {

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
