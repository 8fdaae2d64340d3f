#include "media/plain_json.hpp"
#include "net/cli/api.hpp"
#include "net/cli/commands.hpp"
#include "net/cli/job_line.hpp"
#include "net/cli/table.hpp"
#include "net/cli/text.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace troupe::cli {

namespace {

namespace json = boost::json;

std::string list_target(const list_options& options, std::uint32_t left,
                        const std::string& token) {
  auto target = "/v1/jobs?page_size=" + std::to_string(std::min(left, 1000u));
  const std::pair<const char*, const std::string&> filters[] = {
    {"state", options.state}, {"type", options.type},
    {"queue", options.queue}, {"tag", options.tag},
    {"batch", options.batch}, {"page_token", token}};
  for (const auto& [name, value] : filters)
    if (!value.empty())
      target += std::string{"&"} + name + "=" + percent_encoded(value);
  return target;
}

std::string percent_of(const json::value& job) {
  const auto fraction = number_of(member_of(job, "progress"), "fraction", -1);
  const auto state = text_of(job, "state");
  if (fraction < 0 || state == "succeeded")
    return "";
  return std::to_string(static_cast<int>(fraction * 100)) + "%";
}

std::vector<std::string> job_row(const json::value& job) {
  const auto state = text_of(job, "state");
  const auto error = text_of(member_of(job, "error"), "code");
  const auto counted =
    std::to_string(static_cast<int>(number_of(job, "attempt")));
  return {text_of(job, "id"),
          state,
          text_of(job, "type"),
          counted,
          percent_of(job),
          text_of(job, "created_at"),
          state == "succeeded"
            ? printable(title_of(job))
            : (error.empty() ? "" : error + "  ") + printable(title_of(job))};
}

void print_member(const char* name, const std::string& value) {
  if (!value.empty())
    std::cout << pad(name, 19) << ' ' << printable(value) << '\n';
}

/// A value as people read it: texts bare, `null` as nothing.
std::string plain(const json::value& value) {
  if (value.is_null())
    return {};
  if (const auto* text = value.if_string())
    return {text->data(), text->size()};
  if (const auto* number = value.if_double()) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%g", *number);
    return buffer;
  }
  return media::plain_json(value);
}

void print_job(const json::value& job) {
  for (const char* name :
       {"id", "type", "queue", "state", "priority", "tags", "owner", "params",
        "attempt", "max_attempts", "node", "created_at", "run_at", "started_at",
        "finished_at", "durability"})
    print_member(name, plain(member_of(job, name)));
  if (text_of(job, "state") == "running")
    print_member("progress", progress_text(job));
  if (const auto* result = member_of(job, "result").if_object())
    for (const auto& [name, value] : *result)
      print_member(("result." + std::string{name}).c_str(), plain(value));
  if (const auto* errors = member_of(job, "errors").if_array())
    for (const auto& one : *errors)
      print_member("error", text_of(one, "code") + ": "
                              + text_of(one, "message") + " (attempt "
                              + plain(member_of(one, "attempt")) + ")");
}

} // namespace

int list_jobs(const client_options& to, const list_options& options) {
  auto at = find_server(to);
  if (!at)
    return at.error().code;
  std::vector<std::vector<std::string>> rows = {
    {"ID", "STATE", "TYPE", "ATTEMPT", "DONE", "CREATED", "WHAT"}};
  json::array all;
  std::string token;
  do {
    const auto left = options.limit - static_cast<std::uint32_t>(all.size());
    auto page = ask(*at, "GET", list_target(options, left, token));
    if (!page)
      return page.error().code;
    if (const auto* jobs = member_of(*page, "jobs").if_array())
      for (const auto& job : *jobs)
        all.push_back(job);
    token = text_of(*page, "next_page_token");
  } while (!token.empty() && all.size() < options.limit);
  if (to.json) {
    print_json({{"jobs", all}, {"next_page_token", token}});
    return exit_done;
  }
  for (const auto& job : all)
    rows.push_back(job_row(job));
  print_table(rows);
  return exit_done;
}

int show_job(const client_options& to, const std::string& id) {
  auto at = find_server(to);
  if (!at)
    return at.error().code;
  auto job = ask(*at, "GET", "/v1/jobs/" + percent_encoded(id));
  if (!job)
    return job.error().code;
  if (to.json)
    print_json(*job);
  else
    print_job(*job);
  return exit_done;
}

int act_on_jobs(const client_options& to, const std::string& action,
                const std::vector<std::string>& ids) {
  auto at = find_server(to);
  if (!at)
    return at.error().code;
  int code = exit_done;
  for (const auto& id : ids) {
    auto job =
      ask(*at, "POST", "/v1/jobs/" + percent_encoded(id) + "/" + action);
    if (!job)
      code = job.error().code;
    else if (to.json)
      print_json(*job);
    else
      std::cout << id << "  " << text_of(*job, "state") << '\n';
  }
  return code;
}

int list_queues(const client_options& to) {
  auto at = find_server(to);
  if (!at)
    return at.error().code;
  auto answer = ask(*at, "GET", "/v1/queues");
  if (!answer)
    return answer.error().code;
  if (to.json) {
    print_json(*answer);
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows = {
    {"QUEUE", "QUEUED", "RUNNING", "SCHEDULED", "SUCCEEDED", "FAILED",
     "CANCELLED", "OLDEST", "PER S", "CONCURRENCY", "RATE", ""}};
  if (const auto* queues = member_of(*answer, "queues").if_array())
    for (const auto& queue : *queues) {
      std::vector<std::string> row = {text_of(queue, "name")};
      for (const char* state : {"queued", "running", "scheduled", "succeeded",
                                "failed", "cancelled"})
        row.push_back(plain(member_of(member_of(queue, "depth"), state)));
      const auto age = number_of(queue, "oldest_age_s", -1);
      row.push_back(age > 0 ? duration_text(age) : "");
      for (const char* name : {"throughput_per_s", "concurrency", "rate_per_s"})
        row.push_back(plain(member_of(queue, name)));
      const auto* paused = member_of(queue, "paused").if_bool();
      row.push_back(paused && *paused ? "paused" : "");
      rows.push_back(std::move(row));
    }
  print_table(rows);
  return exit_done;
}

int list_schedules(const client_options& to) {
  auto at = find_server(to);
  if (!at)
    return at.error().code;
  const auto all = ask_pages(*at, "/v1/schedules", "schedules");
  if (!all)
    return all.error().code;
  if (to.json) {
    print_json({{"schedules", *all}, {"next_page_token", ""}});
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows = {
    {"NAME", "CRON", "ZONE", "TYPE", "NEXT", "LAST", "LAST JOB"}};
  for (const auto& one : *all)
    rows.push_back(
      {text_of(one, "name"), text_of(one, "cron"), text_of(one, "timezone"),
       text_of(member_of(one, "job"), "type"), text_of(one, "next_at"),
       text_of(one, "last_at"), text_of(one, "last_job")});
  print_table(rows);
  return exit_done;
}

} // namespace troupe::cli
