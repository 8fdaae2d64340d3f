#include "actors/event_json.hpp"
#include "actors/event_log.hpp"
#include "actors/event_log_parts.hpp"
#include "actors/store/packing.hpp"

#include <cassert>
#include <utility>

namespace troupe::actors {

namespace {

/// The data of an event that was packed here: it unpacks.
std::string unpacked_data(std::string_view id, data_form form,
                          const std::string& packed) {
  if (form == data_form::packed_progress) {
    media::progress progress;
    [[maybe_unused]] const bool good = store::unpack_progress(packed, progress);
    assert(good);
    return data_of(id, progress);
  }
  store::job job;
  [[maybe_unused]] const bool good = store::unpack_job(packed, job);
  assert(good);
  return data_of(job);
}

} // namespace

topic_start event_log::listen(const topic_request& wish) {
  auto& of = open(wish.topic);
  ++of.listeners;
  topic_start start{wish.topic, epoch_, of.head(), false, {}};
  if (wish.epoch != epoch_ || wish.offset < of.base || wish.offset > of.head())
    return start;
  start.missed = missed_since(of, wish.offset);
  start.recovered = start.missed.size() == of.head() - wish.offset;
  if (!start.recovered)
    start.missed.clear();
  return start;
}

/// Stops early where it grows too large.
std::vector<frame_ptr> event_log::missed_since(topic& of,
                                               std::uint64_t offset) {
  std::vector<frame_ptr> missed;
  std::size_t bytes = 0;
  while (offset < of.head() && bytes <= limits_.client_bytes / 2) {
    auto& event = *of.events[of.first + (offset - of.base)];
    auto again = std::make_shared<frame>(*frame_of(of, ++offset, event));
    again->time = 0;
    missed.push_back(std::move(again));
    bytes += missed.back()->text.size();
  }
  return missed;
}

void event_log::unlisten(const std::string& name, moment now) {
  auto* of = find(name);
  assert(of != nullptr && of->listeners > 0);
  assert(of->fresh == topic::no_fresh);
  if (--of->listeners == 0 && of->size() == 0)
    linger(*of, now);
}

std::vector<topic_events> event_log::take_fresh() {
  std::vector<topic_events> taken;
  taken.reserve(fresh_.size());
  for (auto& fresh : fresh_) {
    fresh.of->fresh = topic::no_fresh;
    taken.push_back({*fresh.of->name, std::move(fresh.frames)});
  }
  fresh_.clear();
  return taken;
}

std::size_t event_log::fresh_audience() const {
  std::size_t audience = 0;
  for (const auto& fresh : fresh_)
    audience += fresh.of->listeners;
  return audience;
}

hub_figures event_log::figures() const {
  return {.clients = 0, .topics = topics_.size(), .log_bytes = bytes_};
}

frame_ptr event_log::frame_of(topic& of, std::uint64_t offset, body& event) {
  encode(event);
  const event_head head{*of.name,   epoch_,     offset,
                        event.type, event.time, event.id};
  return event_frame(head, event.data);
}

void event_log::encode(body& event) {
  if (event.form == data_form::json)
    return;
  event.data = unpacked_data(event.id, event.form, event.data);
  event.form = data_form::json;
  charge(event);
}

void event_log::charge(body& event) {
  const auto bytes = sizeof(body) + node_bytes + footprint_of(event.id)
                     + footprint_of(event.data);
  bytes_ += bytes;
  bytes_ -= event.bytes;
  event.bytes = static_cast<std::uint32_t>(bytes);
}

} // namespace troupe::actors
