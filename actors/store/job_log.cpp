#include "actors/store/job_log.hpp"

#include "actors/store/json_text.hpp"
#include "actors/store/transitions.hpp"
#include "config/credentials.hpp"
#include "config/utf8.hpp"

namespace troupe::store {

namespace {

/// A log at its limit has lost its first lines; nothing is put before it then.
constexpr std::size_t nearly_full = 60u << 10;

std::string text_of(timestamp_ms time) {
  std::string quoted;
  json::append_time(quoted, time);
  return quoted.size() > 2 ? quoted.substr(1, quoted.size() - 2) : "-";
}

/// True if these lines were appended before: an operation that was repeated.
bool stands_in(std::string_view all, std::string_view text) {
  const auto at = all.find(text);
  return at == 0 || (at != all.npos && all[at - 1] == '\n');
}

/// From the first line that fits in whole.
void keep_newest(std::string& all) {
  if (all.size() <= log_limit)
    return;
  const auto end = all.find('\n', all.size() - log_limit - 1);
  all.erase(0, end == all.npos ? all.size() - log_limit : end + 1);
}

std::string error_line(timestamp_ms time, const job_error& why) {
  auto words = why.attempt == 0
                 ? std::string{}
                 : "attempt " + std::to_string(why.attempt) + " failed: ";
  words += why.code;
  if (!why.message.empty())
    words.append(": ").append(why.message);
  return log_line(time, "error", words);
}

std::string failed_lines(timestamp_ms time, const job_error& why) {
  return error_line(time, why) + log_line(time, "error", "failed: " + why.code);
}

std::string words_of(const job_note& it) {
  const auto number = std::to_string(it.number);
  switch (it.kind) {
  case note_kind::left_out:
    return number + " lines are left out";
  case note_kind::started:
    return "attempt " + number + " started on " + it.text;
  case note_kind::given_back:
    return "attempt " + number + " was stopped and given back";
  case note_kind::pause_asked:
    return "it is to pause";
  case note_kind::paused:
    return "paused";
  case note_kind::resumed:
    return "resumed";
  case note_kind::cancel_asked:
    return "it is to be cancelled";
  case note_kind::retried:
    return "retried";
  case note_kind::taken_over:
    return "its publication goes on on " + it.text;
  default:
    return "cancelled";
  }
}

std::string line_of(const job& it, const job_note& note) {
  const bool failed =
    note.kind == note_kind::failed || note.kind == note_kind::ended;
  if (!failed || note.number >= it.errors.size())
    return log_line(note.time, "info", words_of(note));
  const auto& why = it.errors[note.number];
  return note.kind == note_kind::failed ? error_line(note.time, why)
                                        : failed_lines(note.time, why);
}

/// What a log that ends there goes on with.
std::string told_by(const job& it) {
  std::string out;
  for (const auto& note : it.notes)
    out += line_of(it, note);
  return out;
}

std::string end_of(const job& it) {
  if (!is_terminal(it.state))
    return {};
  if (it.state == job_state::failed && !it.errors.empty())
    return failed_lines(it.finished_at, it.errors.back());
  return (was_refused(it) ? error_line(it.finished_at, it.errors.back())
                          : std::string{})
         + log_line(it.finished_at, "info", to_string(it.state));
}

} // namespace

std::string log_line(timestamp_ms time, std::string_view level,
                     std::string_view message) {
  auto out = text_of(time);
  out.append(" ").append(level).append(" ");
  for (const char c : config::valid_utf8(config::hide_credentials(message)))
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  out += '\n';
  return out;
}

bool append_log(job& it, std::string_view text, transaction& in) {
  auto all = in.read(record_kind::log, it.id).value_or(std::string{});
  if (stands_in(all, text))
    return false;
  note_start(it);
  const bool noted = !it.notes.empty();
  all += told_by(it);
  it.notes.clear();
  all += text;
  keep_newest(all);
  in.write(record_kind::log, it.id, std::move(all));
  return noted;
}

std::string shown_log(job it, std::string stored) {
  std::string out;
  if (stored.size() <= nearly_full) {
    std::string born = "created";
    if (!it.request_id.empty())
      born += " request=" + it.request_id;
    if (!it.traceparent.empty())
      born += " traceparent=" + it.traceparent;
    out = log_line(it.created_at, "info", born);
  }
  note_start(it);
  out += stored + told_by(it) + end_of(it);
  keep_newest(out);
  return out;
}

} // namespace troupe::store
