#include "actors/crew_queue.hpp"

#include "media/imaging/work_cost.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

crew_queue::place crew_queue::place_of(const crew_task& task) {
  return {task.batch ? -task.priority : 0, task.deadline, task.id};
}

std::string crew_queue::group_of(const media::image_work& work, bool batch) {
  const bool slow = work.options.format == media::image_format::avif;
  return work.input->identity + (slow ? "\nslow" : "\n")
         + (batch ? "batch" : "page")
         + (work.feed ? '\n' + media::to_hex(work.feed->key) : "");
}

void crew_queue::insert(crew_task task) {
  const auto id = task.id;
  order_of(task).insert(place_of(task));
  tasks_.emplace(id, std::move(task));
}

crew_task crew_queue::remove(std::uint64_t id) {
  auto task = std::move(tasks_.extract(id).mapped());
  order_of(task).erase(place_of(task));
  close(task);
  return task;
}

void crew_queue::close(const crew_task& task) {
  const auto found = open_.find(group_of(*task.works.front(), task.batch));
  if (found != open_.end() && found->second == task.id)
    open_.erase(found);
}

std::uint64_t crew_queue::add(media::work_ptr work, bool batch, int priority,
                              clock::time_point deadline,
                              clock::time_point now) {
  const auto group = group_of(*work, batch);
  if (const auto found = open_.find(group); found != open_.end()) {
    const auto id = found->second;
    auto task = remove(id);
    task.works.push_back(std::move(work));
    task.cost_ms = media::usual_cost_ms(task.works);
    task.deadline = std::min(task.deadline, deadline);
    task.priority = std::max(task.priority, priority);
    if (task.works.size() < most_outputs)
      open_.emplace(group, id);
    insert(std::move(task));
    return id;
  }
  const auto id = ++number_;
  crew_task task;
  task.id = id;
  task.works.push_back(std::move(work));
  task.cost_ms = media::usual_cost_ms(task.works);
  task.deadline = deadline;
  task.since = now;
  task.priority = priority;
  task.batch = batch;
  open_.emplace(group, id);
  insert(std::move(task));
  return id;
}

void crew_queue::add_again(crew_task task) {
  insert(std::move(task));
}

std::optional<crew_task> crew_queue::take(bool batch) {
  const auto& order = batch ? batch_ : page_;
  if (order.empty())
    return std::nullopt;
  return remove(std::get<2>(*order.begin()));
}

void crew_queue::hurry(std::uint64_t id, clock::time_point deadline) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end() || !found->second.batch)
    return;
  auto task = remove(id);
  task.batch = false;
  task.deadline = std::min(task.deadline, deadline);
  insert(std::move(task));
}

double crew_queue::cost_ms(bool batch) const {
  double out = 0;
  for (const auto& [id, task] : tasks_)
    if (task.batch == batch)
      out += task.cost_ms;
  return out;
}

std::vector<crew_task> crew_queue::take_late(clock::time_point now) {
  std::vector<std::uint64_t> late;
  for (const auto& [id, task] : tasks_)
    if (task.deadline <= now)
      late.push_back(id);
  std::vector<crew_task> out;
  for (const auto id : late)
    out.push_back(remove(id));
  return out;
}

} // namespace troupe::actors
