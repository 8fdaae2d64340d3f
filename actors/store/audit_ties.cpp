#include "actors/store/audit_ties.hpp"

#include "actors/store/archive.hpp"
#include "actors/store/batches.hpp"
#include "actors/store/callbacks.hpp"
#include "actors/store/operations.hpp"
#include "actors/store/packing.hpp"
#include "actors/store/put_off.hpp"

namespace troupe::store {

namespace {

bool is_ours(record_kind kind) {
  switch (kind) {
  case record_kind::batch:
  case record_kind::staged:
  case record_kind::progress:
  case record_kind::release:
  case record_kind::unhold:
  case record_kind::schedule:
  case record_kind::callback:
  case record_kind::log:
  case record_kind::stream:
    return true;
  }
  return false;
}

std::string before_last(const std::string& text, char mark) {
  const auto at = text.rfind(mark);
  return at == text.npos ? std::string{} : text.substr(0, at);
}

void rebuild(record_kind kind, const std::string& key, transaction& in) {
  if (kind == record_kind::callback)
    return rebuild_callback(key, in);
  if (kind == record_kind::batch)
    return rebuild_batch(key, {}, in);
  if (kind == record_kind::schedule)
    in.unlink(link_kind::schedules, {}, key);
  else if (kind == record_kind::stream)
    in.unlink(link_kind::streams, {}, key);
  in.remove(kind, key);
}

} // namespace

std::optional<link_name> link_of(record_kind kind, const std::string& key,
                                 std::string_view body) {
  if (kind == record_kind::schedule)
    return link_name{link_kind::schedules, {}, key};
  if (kind == record_kind::stream)
    return link_name{link_kind::streams, {}, key};
  if (kind != record_kind::callback)
    return {};
  const auto it = unpack_callback(body);
  if (!it)
    return {};
  // One that was given up is found among the dead.
  if (it->due_at == 0)
    return link_name{link_kind::dead, {}, key};
  return link_name{link_kind::calls, it->subject, key};
}

record_owner owner_of(record_kind kind, const std::string& key,
                      std::string_view body) {
  if (kind == record_kind::log)
    return {key, {}};
  if (kind == record_kind::staged)
    return {{}, before_last(key, '/')};
  if (kind != record_kind::callback)
    return {};
  const auto it = unpack_callback(body);
  return it ? record_owner{it->subject, it->subject} : record_owner{};
}

std::optional<record_name> named_by(link_kind kind, const std::string& member) {
  switch (kind) {
  case link_kind::calls:
  case link_kind::dead:
    return record_name{record_kind::callback, member};
  case link_kind::schedules:
    return record_name{record_kind::schedule, member};
  case link_kind::streams:
    return record_name{record_kind::stream, member};
  case link_kind::waits:
  case link_kind::holds:
    break;
  }
  return {};
}

record_fault fault_of(record_kind kind, std::string_view body, bool listed,
                      bool owned) {
  if (!is_ours(kind))
    return record_fault::unknown;
  if (!can_be_read(kind, body))
    return record_fault::unreadable;
  // What is still to be delivered is, whatever became of its job.
  const bool waits =
    kind == record_kind::callback && unpack_callback(body)->due_at != 0;
  if (!owned && !waits)
    return record_fault::orphan;
  return listed ? record_fault::none : record_fault::unlisted;
}

const char* word_of(record_fault fault) noexcept {
  switch (fault) {
  case record_fault::unknown:
  case record_fault::unreadable:
    return "record";
  case record_fault::unlisted:
    return "link";
  default:
    return "orphan";
  }
}

const char* words_of(record_fault fault) noexcept {
  switch (fault) {
  case record_fault::unknown:
    return "it is of no kind that this version knows";
  case record_fault::unreadable:
    return "it cannot be read";
  case record_fault::unlisted:
    return "no list names it";
  default:
    return "what it belongs to does not exist";
  }
}

void mend_record(record_fault fault, record_kind kind, const std::string& key,
                 transaction& in) {
  const auto body = in.read(kind, key);
  if (fault == record_fault::unreadable)
    return rebuild(kind, key, in);
  if (!body || fault == record_fault::none)
    return;
  if (fault == record_fault::orphan && kind == record_kind::callback)
    return rebuild_callback(key, in);
  const auto link = link_of(kind, key, *body);
  if (fault == record_fault::unlisted && link)
    return in.link(link->kind, link->owner, link->member);
  if (link)
    in.unlink(link->kind, link->owner, link->member);
  in.remove(kind, key);
}

bool is_answer(std::string_view bytes) {
  if (bytes.empty()) // it was taken back
    return true;
  if (bytes.starts_with(held_mark))
    bytes.remove_prefix(held_mark.size());
  job one;
  if (unpack_job(bytes, one))
    return true;
  std::string batch;
  std::vector<std::string> ids;
  archive_reader from{bytes};
  from(batch);
  from.list(ids, [](auto& f, auto& id) { f(id); });
  return from.done();
}

} // namespace troupe::store
