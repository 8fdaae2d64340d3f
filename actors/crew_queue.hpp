#pragma once

#include "media/imaging/work.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace troupe::actors {

/// Images of one source that are made by one task of a child.
struct crew_task {
  std::uint64_t id = 0;
  std::vector<media::work_ptr> works;             ///< at least one
  std::chrono::steady_clock::time_point deadline; ///< the earliest of theirs
  std::chrono::steady_clock::time_point since;
  double cost_ms = 0; ///< that it usually takes
  int priority = 5;
  bool batch = false;
  bool again = false; ///< a child died of it
};

/// Tasks that wait for a child: those of pages by deadline, those of jobs by
/// priority, then deadline. Works of one source that wait become one task,
/// AVIF apart, since it takes several times as long as the others, and what is
/// made of a kept image.
/// Invariant: each task is in `tasks_`, in one of the two orders, and, while
/// another work fits into it, in `open_`.
class crew_queue {
public:
  using clock = std::chrono::steady_clock;
  static constexpr std::size_t most_outputs = 8; ///< of a task

  /// @return the task that it is in
  std::uint64_t add(media::work_ptr work, bool batch, int priority,
                    clock::time_point deadline, clock::time_point now);
  /// A task that comes again; alone, so that it takes nobody along.
  void add_again(crew_task task);

  /// The next one for a child of that side.
  [[nodiscard]] std::optional<crew_task> take(bool batch);

  /// Pages wait now for what a job had asked for.
  void hurry(std::uint64_t id, clock::time_point deadline);

  /// Tasks that nobody can wait for any more.
  [[nodiscard]] std::vector<crew_task> take_late(clock::time_point now);

  [[nodiscard]] std::size_t size(bool batch) const {
    return batch ? batch_.size() : page_.size();
  }
  /// That all of a side usually take.
  [[nodiscard]] double cost_ms(bool batch) const;
  [[nodiscard]] bool empty() const {
    return tasks_.empty();
  }

private:
  using place = std::tuple<int, clock::time_point, std::uint64_t>;

  static place place_of(const crew_task& task);
  static std::string group_of(const media::image_work& work, bool batch);
  std::set<place>& order_of(const crew_task& task) {
    return task.batch ? batch_ : page_;
  }
  crew_task remove(std::uint64_t id);
  void insert(crew_task task);
  void close(const crew_task& task);

  std::uint64_t number_ = 0;
  std::unordered_map<std::uint64_t, crew_task> tasks_;
  std::unordered_map<std::string, std::uint64_t> open_;
  std::set<place> page_;
  std::set<place> batch_;
};

} // namespace troupe::actors
