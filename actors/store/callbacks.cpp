#include "actors/store/callbacks.hpp"

#include "actors/store/archive.hpp"
#include "actors/store/batch_json.hpp"
#include "actors/store/batches.hpp"
#include "actors/store/job_json.hpp"
#include "actors/store/json_text.hpp"

#include <algorithm>
#include <random>

namespace troupe::store {

namespace {

/// Callbacks of one subject that are looked at: it ends rarely more than once.
constexpr std::size_t most_of_one = 1000;

template <class Archive, class Callback>
void fields(Archive& f, Callback& it) {
  f(it.id), f(it.subject), f(it.url), f(it.type), f(it.payload);
  f(it.created_at), f(it.due_at), f(it.attempts), f(it.error), f(it.token);
}

void store(const callback& it, transaction& in) {
  archive_writer out;
  fields(out, it);
  in.write(record_kind::callback, it.id, std::move(out).take(), it.due_at);
}

std::optional<callback> load(const std::string& id, transaction& in) {
  const auto bytes = in.read(record_kind::callback, id);
  return bytes ? unpack_callback(*bytes) : std::nullopt;
}

std::vector<callback> load_all(const std::vector<std::string>& ids,
                               transaction& in) {
  std::vector<record_name> names;
  for (const auto& id : ids)
    names.push_back({record_kind::callback, id});
  in.prefetch(names);
  std::vector<callback> found;
  for (const auto& id : ids)
    if (auto it = load(id, in))
      found.push_back(std::move(*it));
  return found;
}

std::uint64_t new_token() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return generator() | 1;
}

std::string id_of_end(const job& it) {
  return it.id + '.' + std::to_string(it.revision);
}

std::string id_of_end(const batch& it) {
  return it.id + ".finished";
}

/// @param data JSON object
void note(callback it, const std::string& data, transaction& in) {
  it.created_at = it.due_at = in.now();
  it.payload = "{\"id\":";
  json::append_string(it.payload, it.id);
  it.payload += ",\"type\":\"" + it.type + "\",\"time\":";
  json::append_time(it.payload, in.now());
  it.payload += ",\"data\":" + data + '}';
  store(it, in);
  in.link(link_kind::calls, it.subject, it.id);
}

void forget(const std::string& id, const std::string& subject,
            transaction& in) {
  in.remove(record_kind::callback, id);
  in.unlink(link_kind::calls, subject, id);
  in.unlink(link_kind::dead, {}, id);
}

} // namespace

void note_callback(const job& it, transaction& in) {
  callback told;
  told.id = id_of_end(it);
  told.subject = it.id;
  told.url = it.callback_url;
  told.type = "job." + std::string{to_string(it.state)};
  note(std::move(told), to_json(it), in);
}

void note_callback(const batch& it, transaction& in) {
  callback told;
  told.id = id_of_end(it);
  told.subject = it.id;
  told.url = it.callback_url;
  told.type = "batch.finished";
  note(std::move(told), to_json(it), in);
}

std::vector<callback> take_callbacks(std::size_t max, transaction& in) {
  std::vector<std::string> ids;
  for (const auto& name : in.due(due_lane::callbacks, max))
    ids.push_back(name.key);
  auto taken = load_all(ids, in);
  for (auto& it : taken) {
    it.token = new_token();
    it.due_at = in.now() + callback_hidden_ms;
    store(it, in);
  }
  return taken;
}

errc settle_callback(const callback_settlement& done, transaction& in) {
  auto it = load(done.id, in);
  if (!it)
    return errc::not_found;
  if (it->token != done.token)
    return errc::stale_fence;
  if (done.outcome == callback_outcome::delivered) {
    forget(it->id, it->subject, in);
    return errc::none;
  }
  const bool dead = done.outcome == callback_outcome::dead;
  it->token = 0;
  it->error = done.error;
  ++it->attempts;
  it->due_at = dead ? 0 : in.now() + done.retry_after_ms;
  store(*it, in);
  if (dead)
    in.link(link_kind::dead, {}, it->id);
  return errc::none;
}

std::vector<callback> dead_callbacks(const std::string& after, std::size_t max,
                                     transaction& in) {
  return load_all(in.links(link_kind::dead, {}, after, max), in);
}

errc retry_callback(const std::string& id, transaction& in) {
  auto it = load(id, in);
  if (!it)
    return errc::not_found;
  if (it->due_at != 0)
    return errc::invalid_state;
  it->due_at = in.now();
  it->attempts = 0;
  store(*it, in);
  in.unlink(link_kind::dead, {}, id);
  return errc::none;
}

std::optional<callback> unpack_callback(std::string_view bytes) {
  callback it;
  archive_reader from{bytes};
  fields(from, it);
  if (!from.done())
    return {};
  return it;
}

void rebuild_callback(const std::string& id, transaction& in) {
  const auto subject = id.substr(0, std::min(id.size(), id.rfind('.')));
  forget(id, subject, in);
  const auto ended = in.find(subject);
  if (ended && is_terminal(ended.it->state) && !ended.it->callback_url.empty()
      && id_of_end(*ended.it) == id) {
    in.guard(*ended.it);
    return note_callback(*ended.it, in);
  }
  const auto whole = get_batch(subject, in);
  if (whole && whole->finished_at != 0 && !whole->callback_url.empty()
      && id_of_end(*whole) == id)
    note_callback(*whole, in);
}

bool has_callbacks_due(const std::string& subject, transaction& in) {
  const auto ids = in.links(link_kind::calls, subject, {}, most_of_one);
  return std::ranges::any_of(load_all(ids, in),
                             [](const callback& it) { return it.due_at != 0; });
}

void forget_callbacks(const std::string& subject, transaction& in) {
  for (const auto& id : in.links(link_kind::calls, subject, {}, most_of_one))
    forget(id, subject, in);
}

void forget_callbacks(const job& ended, transaction& in) {
  forget_callbacks(ended.id, in);
  forget(id_of_end(ended), ended.id, in);
}

} // namespace troupe::store
