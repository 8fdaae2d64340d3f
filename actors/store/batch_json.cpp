#include "actors/store/batch_json.hpp"

#include "actors/store/json_text.hpp"

namespace troupe::store {

namespace {

void append_counts(std::string& out, const batch& it) {
  out += ",\"counts\":{";
  for (std::size_t state = 0; state < job_state_count; ++state) {
    out += state == 0 ? "\"" : ",\"";
    out += to_string(static_cast<job_state>(state));
    out += "\":";
    json::append_number(out, it.by_state[state]);
  }
  out += '}';
}

/// How long the rest takes if it goes on as it went so far.
void append_eta(std::string& out, const batch& it, timestamp_ms now) {
  out += ",\"eta_s\":";
  const auto ended = it.ended();
  if (it.finished_at > 0 || ended == 0 || now <= it.created_at)
    out += "null";
  else
    json::append_number(out, static_cast<double>(now - it.created_at) / 1000
                               * static_cast<double>(it.total - ended)
                               / static_cast<double>(ended));
}

} // namespace

void append_json(std::string& out, const batch& it, timestamp_ms now) {
  out += "{\"id\":";
  json::append_string(out, it.id);
  out += ",\"owner\":";
  json::append_optional(out, it.owner);
  out += ",\"tags\":[";
  for (const auto& tag : it.tags) {
    if (&tag != &it.tags.front())
      out += ',';
    json::append_string(out, tag);
  }
  out += "],\"callback_url\":";
  json::append_optional(out, it.callback_url);
  out += ",\"state\":";
  json::append_string(out, it.finished_at == 0 ? "running" : "finished");
  out += ",\"total\":";
  json::append_number(out, it.total);
  append_counts(out, it);
  out += ",\"fraction\":";
  const auto total = static_cast<double>(it.total);
  json::append_number(out, total > 0 ? double(it.ended()) / total : 1.0);
  append_eta(out, it, now);
  out += ",\"created_at\":";
  json::append_time(out, it.created_at);
  out += ",\"finished_at\":";
  json::append_time(out, it.finished_at);
  out += '}';
}

std::string to_json(const batch& it, timestamp_ms now) {
  std::string out;
  append_json(out, it, now);
  return out;
}

} // namespace troupe::store
