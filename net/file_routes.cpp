#include "net/edge.hpp"
#include "net/job_files.hpp"
#include "net/job_id.hpp"
#include "net/routes.hpp"

#include <boost/asio/co_spawn.hpp>

namespace troupe::net {

namespace {

namespace asio = boost::asio;

asio::awaitable<result<open_file>> open_blocking(std::filesystem::path library,
                                                 std::filesystem::path file) {
  co_return open_in_library(library, file);
}

response no_such_file() {
  return answer({problem_code::not_found, "the job has no such file"});
}

} // namespace

answering send_job_file(edge& at, const request& req, const path_params& path) {
  if (!is_job_id(path["id"]))
    co_return answer(problem_of(fail(store::errc::not_found)));
  auto start = [&at, id = path["id"]](actors::reply_to<store::job> reply) {
    at.parts.gateway.get(std::string{id}, std::move(reply));
  };
  const std::chrono::seconds limit{at.settings.request_timeout_s};
  const auto job = co_await at.asks.ask<store::job>(limit, start);
  if (!job)
    co_return answer(problem_of(job.error()));
  const auto named = result_file(job->result, path["name"]);
  if (!named)
    co_return no_such_file();
  auto opening = open_blocking(at.parts.library, *named);
  const auto file =
    co_await asio::co_spawn(at.files, std::move(opening), asio::use_awaitable);
  if (!file)
    co_return no_such_file();
  auto out = file_answer(req, *file, path["name"]);
  if (out.file.fd)
    out.kind = traffic::file;
  out.sender.owner = job->owner;
  co_return out;
}

} // namespace troupe::net
