#include "actors/store/queue_info.hpp"

#include "actors/store/json_text.hpp"

namespace troupe::store {

namespace {

/// No limit is `null`.
template <class T>
void append_limit(std::string& out, std::string_view name, T limit) {
  out.append(",\"").append(name).append("\":");
  if (limit > 0)
    json::append_number(out, limit);
  else
    out += "null";
}

} // namespace

void append_json(std::string& out, const queue_info& queue) {
  out += "{\"id\":";
  json::append_string(out, queue.queue);
  out += ",\"name\":";
  json::append_string(out, queue.queue);
  out += queue.paused ? ",\"paused\":true" : ",\"paused\":false";
  out += ",\"depth\":{";
  for (std::size_t i = 0; i < job_state_count; ++i) {
    out += i == 0 ? "\"" : ",\"";
    out.append(to_string(static_cast<job_state>(i))).append("\":");
    json::append_number(out, queue.by_state[i]);
  }
  out += "},\"oldest_age_s\":";
  json::append_number(out, static_cast<double>(queue.oldest_age_ms) / 1000);
  out += ",\"throughput_per_s\":";
  json::append_number(out, queue.throughput_per_s);
  append_limit(out, "concurrency", queue.concurrency);
  append_limit(out, "rate_per_s", queue.rate_per_s);
  out += '}';
}

void append_json(std::string& out, const key_limit& limit) {
  out += "{\"key\":";
  json::append_string(out, limit.key);
  append_limit(out, "concurrency", limit.concurrency);
  append_limit(out, "rate_per_s", limit.rate_per_s);
  out += '}';
}

} // namespace troupe::store
