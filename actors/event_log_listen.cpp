#include "actors/event_json.hpp"
#include "actors/event_log.hpp"
#include "actors/event_log_parts.hpp"

#include <cassert>
#include <utility>

namespace troupe::actors {

namespace {

std::size_t footprint_of_job(const store::job& job) {
  std::size_t bytes = sizeof(job);
  for (const auto* text :
       {&job.id, &job.type, &job.queue, &job.params, &job.owner, &job.batch,
        &job.parent, &job.unique_key, &job.concurrency_key, &job.callback_url,
        &job.result, &job.node, &job.progress.stage, &job.progress.unit,
        &job.progress.message})
    bytes += footprint_of(*text);
  for (const auto& tag : job.tags)
    bytes += sizeof(tag) + footprint_of(tag);
  for (const auto& error : job.errors)
    bytes +=
      sizeof(error) + footprint_of(error.code) + footprint_of(error.message);
  return bytes;
}

std::size_t footprint_of_progress(const media::progress& progress) {
  return sizeof(progress) + footprint_of(progress.stage)
         + footprint_of(progress.unit) + footprint_of(progress.message);
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
    missed.push_back(frame_of(of, ++offset, event));
    let_go(event);
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
  if (event.data.empty())
    event.data =
      event.job ? data_of(*event.job) : data_of(event.id, *event.progress);
}

/// Once there is the text, what it was made from is of no use.
void event_log::let_go(body& event) {
  if (event.data.empty() || !(event.job || event.progress))
    return;
  event.job.reset();
  event.progress.reset();
  event.data.shrink_to_fit();
  charge(event);
}

void event_log::charge(body& event) {
  std::size_t bytes = sizeof(body) + node_bytes + footprint_of(event.id)
                      + footprint_of(event.data);
  if (event.job)
    bytes += footprint_of_job(*event.job);
  if (event.progress)
    bytes += footprint_of_progress(*event.progress);
  bytes_ += bytes;
  bytes_ -= event.bytes;
  event.bytes = static_cast<std::uint32_t>(bytes);
}

} // namespace troupe::actors
