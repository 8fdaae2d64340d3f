#include "actors/store/job_json.hpp"

#include "actors/store/json_text.hpp"
#include "config/credentials.hpp"

#include <algorithm>

namespace troupe::store {

namespace {

using config::hide_credentials;

/// Writes the members of one object, in the order of the calls.
class members {
public:
  explicit members(std::string& out) : out_(out) {
    out_ += '{';
  }

  ~members() {
    out_ += '}';
  }

  members(const members&) = delete;
  members& operator=(const members&) = delete;

  /// @param name needs no escapes.
  std::string& value(std::string_view name) {
    if (out_.back() != '{')
      out_ += ',';
    out_.append("\"").append(name).append("\":");
    return out_;
  }

  void text(std::string_view name, std::string_view text) {
    json::append_string(value(name), text);
  }

  void optional(std::string_view name, std::string_view text) {
    json::append_optional(value(name), text);
  }

  template <class T>
  void number(std::string_view name, T number) {
    json::append_number(value(name), number);
  }

  template <class T>
  void number_if(bool known, std::string_view name, T number) {
    if (known)
      json::append_number(value(name), number);
    else
      value(name) += "null";
  }

  void time(std::string_view name, timestamp_ms time) {
    json::append_time(value(name), time);
  }

private:
  std::string& out_;
};

template <class Items, class Append>
void append_array(std::string& out, const Items& items, Append append) {
  out += '[';
  for (const auto& item : items) {
    if (&item != &items.front())
      out += ',';
    append(item);
  }
  out += ']';
}

void append_draft(members& out, const job& job) {
  out.number("priority", job.priority);
  out.value("params") +=
    job.params.empty() ? "{}" : hide_credentials(job.params);
  auto& text = out.value("tags");
  append_array(text, job.tags, [&text](const std::string& tag) {
    json::append_string(text, tag);
  });
  out.optional("batch", job.batch);
}

void append_outcome(members& out, const job& job) {
  append_json(out.value("progress"), job.progress);
  out.value("result") +=
    job.result.empty() ? "null" : hide_credentials(job.result);
  auto& text = out.value("error");
  if (job.errors.empty() || job.state == job_state::succeeded)
    text += "null";
  else
    append_json(text, job.errors.back());
  out.value("errors");
  append_array(text, job.errors,
               [&text](const job_error& error) { append_json(text, error); });
}

} // namespace

void append_json(std::string& out, const media::progress& progress) {
  members object{out};
  object.number_if(progress.fraction >= 0, "fraction",
                   std::min(progress.fraction, 1.0));
  object.text("stage", progress.stage);
  object.number("done", progress.done);
  object.number_if(progress.total > 0, "total", progress.total);
  object.text("unit", progress.unit);
  object.number_if(progress.rate > 0, "rate", progress.rate);
  object.number_if(progress.eta_s >= 0, "eta_s", progress.eta_s);
  object.text("message", hide_credentials(progress.message));
}

void append_json(std::string& out, const job_error& error) {
  members object{out};
  object.text("code", error.code);
  object.text("message", hide_credentials(error.message));
  object.value("retryable") += error.retryable ? "true" : "false";
  object.number("attempt", error.attempt);
}

void append_json(std::string& out, const job& job) {
  members object{out};
  object.text("id", job.id);
  object.text("type", job.type);
  object.text("queue", job.queue);
  object.text("state",
              to_string(job.publishing ? job_state::running : job.state));
  append_draft(object, job);
  object.number("attempt", job.attempt);
  object.number("max_attempts", job.max_attempts);
  object.number("revision", job.revision);
  object.optional("owner", job.owner);
  object.optional("parent", job.parent);
  append_outcome(object, job);
  object.optional("node", job.node);
  object.time("created_at", job.created_at);
  object.time("run_at", job.run_at);
  object.time("started_at", job.started_at);
  object.time("finished_at", job.finished_at);
  object.text("durability", to_string(job.reached));
}

std::string to_json(const job& job) {
  std::string out;
  out.reserve(768 + job.params.size() + job.result.size());
  append_json(out, job);
  return out;
}

std::string to_json(const job_page& page) {
  std::string out;
  out.reserve(64 + page.jobs.size() * 768);
  out = R"({"jobs":[)";
  for (const auto& job : page.jobs) {
    if (&job != &page.jobs.front())
      out += ',';
    append_json(out, job);
  }
  out += R"(],"next_page_token":)";
  json::append_string(out, page.next_page_token);
  out += '}';
  return out;
}

} // namespace troupe::store
