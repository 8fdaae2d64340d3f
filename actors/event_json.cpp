#include "actors/event_json.hpp"

#include "actors/store/job_json.hpp"
#include "actors/store/json_text.hpp"

#include <algorithm>
#include <array>

namespace troupe::actors {

namespace {

constexpr std::array<std::string_view, 24> names{
  "job.created",    "job.queued",     "job.started",      "job.progress",
  "job.retrying",   "job.cancelling", "job.succeeded",    "job.failed",
  "job.cancelled",  "job.paused",     "job.resumed",      "batch.progress",
  "batch.finished", "queue.stats",    "node.joined",      "node.lost",
  "node.load",      "alert.raised",   "alert.cleared",    "stream.created",
  "stream.health",  "stream.quality", "stream.recovered", "stream.closed"};

/// Raw line breaks can only be white space between tokens; in an event stream
/// (and in logs) a frame is one line.
std::string on_one_line(std::string json) {
  std::ranges::replace_if(
    json, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return json;
}

void append_id(std::string& out, std::string_view id) {
  out.append(",\"id\":").append(id.empty() ? "null" : id);
}

void append_member(std::string& out, std::string_view name,
                   std::string_view text) {
  out.append(",\"").append(name).append("\":");
  json::append_string(out, text);
}

void append_position(std::string& out, std::string_view topic,
                     std::string_view epoch, std::uint64_t offset) {
  append_member(out, "topic", topic);
  append_member(out, "epoch", epoch);
  out += ",\"offset\":";
  json::append_number(out, offset);
}

std::shared_ptr<frame> make_frame(frame_kind kind, std::string_view topic) {
  auto made = std::make_shared<frame>();
  made->kind = kind;
  made->topic = topic;
  return made;
}

} // namespace

std::string_view name_of(job_event_type type) noexcept {
  return names[static_cast<std::size_t>(type)];
}

std::string data_of(const store::job& job) {
  return on_one_line(to_json(job));
}

std::string data_of(std::string_view id, const media::progress& progress) {
  std::string out = "{\"id\":";
  json::append_string(out, id);
  out += ",\"progress\":";
  store::append_json(out, progress);
  out += '}';
  return out;
}

frame_ptr event_frame(const event_head& head, std::string_view data) {
  auto made = make_frame(frame_kind::event, head.topic);
  made->progress = head.type == job_event_type::progress;
  made->type = name_of(head.type);
  made->subject = head.subject;
  made->epoch = head.epoch;
  made->offset = head.offset;
  made->time = head.time;
  auto& out = made->text;
  out.reserve(160 + head.topic.size() + data.size());
  out += "{\"op\":\"event\"";
  append_position(out, head.topic, head.epoch, head.offset);
  append_member(out, "type", made->type);
  out += ",\"time\":";
  json::append_time(out, head.time);
  out.append(",\"data\":").append(data).append("}");
  return made;
}

frame_ptr subscribed_frame(std::string_view id, const topic_start& start,
                           std::string_view snapshot) {
  auto made = make_frame(frame_kind::subscribed, start.topic);
  made->recovered = start.recovered;
  made->epoch = start.epoch;
  made->offset = start.offset;
  auto& out = made->text;
  out += "{\"op\":\"subscribed\"";
  append_id(out, id);
  append_position(out, start.topic, start.epoch, start.offset);
  out.append(",\"recovered\":").append(start.recovered ? "true" : "false");
  out.append(",\"snapshot\":").append(snapshot).append("}");
  return made;
}

frame_ptr unsubscribed_frame(std::string_view id, std::string_view topic) {
  auto made = make_frame(frame_kind::unsubscribed, topic);
  auto& out = made->text;
  out += "{\"op\":\"unsubscribed\"";
  append_id(out, id);
  append_member(out, "topic", topic);
  out += '}';
  return made;
}

frame_ptr error_frame(std::string_view id, std::string_view code,
                      std::string_view detail, std::string_view topic) {
  auto made = make_frame(frame_kind::error, topic);
  made->type = code;
  auto& out = made->text;
  out += "{\"op\":\"error\"";
  append_id(out, id);
  append_member(out, "code", code);
  append_member(out, "detail", detail);
  if (!topic.empty())
    append_member(out, "topic", topic);
  out += '}';
  return made;
}

} // namespace troupe::actors
