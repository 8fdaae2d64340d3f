#include "actors/crew.hpp"

#include "config/metrics.hpp"
#include "media/errc.hpp"
#include "media/imaging/service.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe::actors {

namespace {

using namespace std::chrono_literals;

constexpr auto crew_period = 50ms;
/// Between its tasks' deadlines and the end of a child that keeps none.
constexpr auto least_life = 20ms;

/// Of tasks, to what they usually take.
constexpr double least_pace = 0.1;
constexpr double most_pace = 20;

double ms_between(crew_state::clock::time_point from,
                  crew_state::clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

std::string_view side_name(bool batch) {
  return batch ? "batch" : "page";
}

/// What is so whenever it is tried.
bool is_lasting(media::errc code) {
  return code == media::errc::invalid_media || code == media::errc::too_large
         || code == media::errc::bad_params;
}

} // namespace

void crew_state::start(crew_options options) {
  options_ = std::move(options);
  for (const bool batch : {false, true})
    for (std::uint32_t i = 0; i < options_.children[batch]; ++i)
      add_seat(batch);
  show();
}

void crew_state::add_seat(bool batch) {
  seats_[++number_].batch = batch;
}

// -- asks ---------------------------------------------------------------------

void crew_state::make(image_request& request) {
  const auto& work = request.ask.work;
  if (const auto there = flights_.find(work->key); there != flights_.end())
    return join(there->second, request);
  // Made between the look into the cache and now.
  if (auto here = options_.images->recall(*work))
    return request.reply(image_reply{std::move(here), true, 0, 0});
  if (refuse(request))
    return;
  auto& fresh = flights_[work->key];
  fresh.waiting.push_back({std::move(request.reply), work, false});
  fresh.task = queue_.add(work, !work->hurry, request.ask.priority,
                          request.ask.deadline, now());
  assign();
  wake();
}

void crew_state::join(flight& there, image_request& request) {
  ++figures_.coalesced;
  if (request.ask.work->hurry)
    queue_.hurry(there.task, request.ask.deadline);
  there.waiting.push_back({std::move(request.reply), request.ask.work, true});
  assign();
}

/// Until a child is free for one more, by what tasks that wait and run usually
/// take.
double crew_state::wait_ms(bool batch) const {
  auto all_ms = queue_.cost_ms(batch) * pace_[batch];
  std::uint32_t busy = 0;
  for (const auto& [number, it] : seats_) {
    if (it.batch != batch || it.spare || !it.task)
      continue;
    ++busy;
    const auto ran_ms = ms_between(it.began, now());
    all_ms += std::max(it.task->cost_ms * pace_[batch] - ran_ms, 0.0);
  }
  const auto seats = std::max(options_.children[batch], 1u);
  return busy < seats && queue_.size(batch) == 0 ? 0 : all_ms / seats;
}

/// True if it was: too many wait, or it would wait beyond its deadline.
bool crew_state::refuse(image_request& request) {
  const bool batch = !request.ask.work->hurry;
  const auto waiting = queue_.size(batch);
  const auto wait_ms = this->wait_ms(batch);
  const bool late = !batch && ms_between(now(), request.ask.deadline) < wait_ms;
  if (waiting < options_.most_waiting && !late)
    return false;
  ++figures_.refused;
  if (options_.metrics)
    options_.metrics->image_refused();
  const auto seconds = std::clamp(static_cast<int>(wait_ms / 1000) + 1, 1, 60);
  request.reply(
    failure{{seconds, overload_category()}, "too many images wait to be made"});
  return true;
}

void crew_state::tell(crew_request& request) {
  auto out = figures_;
  out.page.waiting = queue_.size(false);
  out.batch.waiting = queue_.size(true);
  for (const auto& [number, it] : seats_) {
    auto& side = it.batch ? out.batch : out.page;
    ++side.children;
    side.busy += it.task.has_value();
  }
  request.reply(out);
}

// -- children -----------------------------------------------------------------

void crew_state::assign() {
  for (auto& [number, it] : seats_) {
    if (it.task || it.spare)
      continue;
    if (auto task = queue_.take(it.batch))
      give(number, it, std::move(*task));
  }
  show();
}

void crew_state::give(std::uint64_t number, seat& to, crew_task task) {
  const auto at = now();
  const bool text =
    std::any_of(task.works.begin(), task.works.end(),
                [](const media::work_ptr& each) { return each->sets_text; });
  auto& child = to.children[text];
  if (!child.process || child.served >= options_.most_served)
    child = {options_.images->open_child(to.batch, text), 0};
  const auto left = std::max(
    std::chrono::duration_cast<std::chrono::milliseconds>(task.deadline - at),
    std::chrono::milliseconds{least_life});
  auto order = options_.images->compose(task.works, left);
  ++child.served;
  ++figures_.tasks;
  figures_.outputs += task.works.size();
  to.began = at;
  to.task = std::move(task);
  media::child_listener listener;
  listener.on_end =
    [number, self = caf::actor_cast<crew_impl>(self_)](media::child_end end) {
      caf::anon_send(self, crew_over{number, std::make_shared<media::child_end>(
                                               std::move(end))});
    };
  child.process->run(std::move(order), std::move(listener));
}

void crew_state::end(crew_over& over) {
  const auto at = seats_.find(over.seat);
  if (at == seats_.end() || !at->second.task)
    return;
  auto task = std::move(*at->second.task);
  const auto began = at->second.began;
  at->second.task.reset();
  if (at->second.spare)
    seats_.erase(at);
  settle(task, *over.end, began);
  assign();
}

// -- outcomes -----------------------------------------------------------------

void crew_state::settle(crew_task& task, media::child_end& end,
                        clock::time_point began) {
  if (end.code == media::errc::none) {
    auto made = media::read_image_result(end.result);
    if (made && made->outputs.size() == task.works.size())
      return settle_made(task, *made, began);
    end.code = media::errc::internal;
    end.message = "the codec child's result cannot be read";
  }
  if (options_.metrics)
    options_.metrics->image_failed(media::code_of(end.code));
  if (try_again(task, end.code))
    return;
  // What had most of its time would need it again.
  const bool was_slow = end.code == media::errc::timeout
                        && now() - began >= (task.deadline - task.since) / 2;
  fail_all(task, fail(end.code, end.message), is_lasting(end.code) || was_slow);
}

/// One that killed its child gets another, once; then it is blamed for both.
bool crew_state::try_again(crew_task& task, media::errc code) {
  if (!media::died(code))
    return false;
  if (code == media::errc::crashed)
    static_cast<void>(options_.images->crashed(*task.works.front()));
  if (task.again || task.deadline <= now())
    return false;
  task.again = true;
  queue_.add_again(std::move(task));
  return true;
}

void crew_state::settle_made(const crew_task& task, media::image_result& made,
                             clock::time_point began) {
  measure(task, made, began);
  for (std::size_t i = 0; i < task.works.size(); ++i) {
    const auto& work = *task.works[i];
    auto& output = made.outputs[i];
    if (output.code != media::errc::none) {
      const auto why = fail(output.code, output.message);
      if (is_lasting(output.code))
        options_.images->deny(work, why);
      conclude(work, why);
      continue;
    }
    auto kept = options_.images->keep(work, std::move(output), made.source);
    if (!kept)
      conclude(work, kept.error());
    else
      conclude(work, image_reply{std::move(*kept), false,
                                 ms_between(task.since, began), made.total_ms});
  }
}

void crew_state::fail_all(const crew_task& task, const failure& why,
                          bool deny) {
  for (const auto& work : task.works) {
    if (deny)
      options_.images->deny(*work, why);
    conclude(*work, why);
  }
}

void crew_state::conclude(const media::image_work& work,
                          const result<image_reply>& outcome) {
  const auto done = flights_.extract(work.key);
  if (done.empty())
    return;
  for (const auto& each : done.mapped().waiting) {
    auto told = outcome;
    if (told)
      told->coalesced = each.coalesced;
    // What is kept has the tags of the first who asked.
    if (told && each.coalesced && !each.work->tags.empty())
      options_.images->recall(*each.work);
    each.reply(std::move(told));
  }
}

void crew_state::measure(const crew_task& task, const media::image_result& made,
                         clock::time_point began) {
  const auto ran_ms = ms_between(began, now());
  auto& pace = pace_[task.batch];
  pace +=
    (std::clamp(ran_ms / task.cost_ms, least_pace, most_pace) - pace) / 16;
  if (!options_.metrics)
    return;
  for (const auto& each : made.outputs)
    options_.metrics->image_made(
      side_name(task.batch), media::name_of(each.format),
      ms_between(task.since, began) / 1000, ran_ms / 1000, each.bytes.size());
}

// -- time ---------------------------------------------------------------------

void crew_state::wake() {
  if (ticking_)
    return;
  ticking_ = true;
  self_->delayed_send(self_, crew_period, crew_tick{});
}

void crew_state::tick() {
  ticking_ = false;
  const auto at = now();
  for (const auto& task : queue_.take_late(at))
    fail_all(task, fail(errc::deadline, "no child was free in time"), false);
  replace_slow(at);
  assign();
  if (!flights_.empty())
    wake();
}

/// A task past half its time does not hold its place: another child takes it,
/// and the slow one goes when its task ends. At most as many again as there
/// are places.
void crew_state::replace_slow(clock::time_point now) {
  for (const bool batch : {false, true}) {
    auto spare = std::count_if(seats_.begin(), seats_.end(), [&](auto& each) {
      return each.second.batch == batch && each.second.spare;
    });
    std::size_t fresh = 0;
    for (auto& [number, it] : seats_) {
      if (it.batch != batch || it.spare || !it.task
          || spare >= static_cast<long>(options_.children[batch])
          || now - it.began < it.task->deadline - now)
        continue;
      it.spare = true;
      ++spare;
      ++fresh;
    }
    figures_.replaced += fresh;
    for (; fresh > 0; --fresh)
      add_seat(batch);
  }
}

void crew_state::show() const {
  if (!options_.metrics)
    return;
  std::array<crew_figures::side, 2> sides;
  for (const auto& [number, it] : seats_) {
    ++sides[it.batch].children;
    sides[it.batch].busy += it.task.has_value();
  }
  for (const bool batch : {false, true})
    options_.metrics->image_crew(side_name(batch), queue_.size(batch),
                                 sides[batch].busy, sides[batch].children);
}

crew_impl::behavior_type crew(crew_state::self_ptr self, crew_options options) {
  auto& state = self->state;
  state.start(std::move(options));
  return {
    [&state](image_request& x) { state.make(x); },
    [&state](crew_request& x) { state.tell(x); },
    [&state](crew_over& x) { state.end(x); },
    [&state](crew_tick) { state.tick(); },
  };
}

} // namespace troupe::actors
