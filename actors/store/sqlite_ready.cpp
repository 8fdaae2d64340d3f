#include "actors/store/sqlite_ready.hpp"

#include "actors/store/transitions.hpp"

#include <algorithm>
#include <queue>

namespace troupe::store {

namespace {

constexpr std::int64_t lanes = urgent_lane + 1;

/// Jobs fetched at a time from a list that goes on being the best.
constexpr std::int64_t chunk = 32;

} // namespace

sqlite_ready::sqlite_ready(sqlite_db& db, sqlite_flow& flow) noexcept
  : flow_{flow}, read_head_{db,
                            "SELECT score, seq FROM head"
                            " WHERE queue = ?1 AND grp = ?2 AND priority = ?3"},
    write_head_{db, "INSERT INTO head VALUES(?1, ?2, ?3, ?4, ?5, 0)"
                    " ON CONFLICT DO UPDATE SET score = ?4, seq = ?5"},
    drop_head_{db, "DELETE FROM head"
                   " WHERE queue = ?1 AND grp = ?2 AND priority = ?3"},
    first_{db, "SELECT score, seq FROM job INDEXED BY job_ready"
               " WHERE state = 2 AND queue = ?1 AND grp = ?2"
               " AND priority = ?3 ORDER BY score, seq LIMIT 1"},
    heads_{db, "SELECT grp, priority, score, seq FROM head"
               " INDEXED BY head_order WHERE queue = ?1 AND parked = 0"
               " ORDER BY score, seq"},
    following_{db, "SELECT score, seq FROM job INDEXED BY job_ready"
                   " WHERE state = 2 AND queue = ?1 AND grp = ?2"
                   " AND priority = ?3 AND (score, seq) > (?4, ?5)"
                   " ORDER BY score, seq LIMIT ?6"},
    oldest_{db, "SELECT job.run_at, job.score FROM head INDEXED BY head_oldest"
                " CROSS JOIN job ON job.seq = head.seq"
                " WHERE head.queue = ?1 AND head.priority = ?2"
                " ORDER BY head.score LIMIT 1"} {}

sqlite_ready::head& sqlite_ready::touch(const ready_list& list) {
  const auto [at, added] = touched_.try_emplace(list);
  if (added) {
    auto row = read_head_.start(list.queue, list.group, list.priority);
    if (row.next())
      at->second.stored = ready_place{row.number(0), row.number(1)};
    at->second.now = at->second.stored;
  }
  return at->second;
}

void sqlite_ready::entered(const ready_list& list, ready_place place) {
  auto& known = touch(list);
  if (!known.lost && (!known.now || place < *known.now))
    known.now = place;
}

void sqlite_ready::left(const ready_list& list, std::int64_t seq) {
  auto& known = touch(list);
  if (known.now && known.now->seq == seq)
    known.lost = true;
}

std::optional<ready_place> sqlite_ready::first_of(const ready_list& list) {
  auto row = first_.start(list.queue, list.group, list.priority);
  if (!row.next())
    return {};
  return ready_place{row.number(0), row.number(1)};
}

void sqlite_ready::write(const ready_list& list,
                         const std::optional<ready_place>& place) {
  if (place)
    write_head_.run(list.queue, list.group, list.priority, place->score,
                    place->seq);
  else
    drop_head_.run(list.queue, list.group, list.priority);
}

void sqlite_ready::flush() {
  for (auto& [list, known] : touched_) {
    const auto first = known.lost ? first_of(list) : known.now;
    if (first != known.stored)
      write(list, first);
  }
  touched_.clear();
}

/// Merges the lists of one queue by place. Lists are opened only when their
/// head is the best of all that are left, so a claim of few jobs looks at few
/// lists, however many there are. Those of groups without room are passed over.
class sqlite_ready::merge {
public:
  merge(sqlite_ready& ready, const std::string& queue, bool urgent,
        sqlite_gate& gate)
    : ready_{ready}, queue_{queue}, urgent_{urgent}, gate_{gate},
      heads_{ready.heads_.start(queue)} {
    next_head();
  }

  /// @return 0 at the end.
  std::int64_t next() {
    for (;;) {
      while (head_ && (open_.empty() || head_->place < open_.top().place))
        next_head();
      if (open_.empty() || (urgent_ && !is_urgent(open_.top().place.score)))
        return 0;
      auto best = open_.top();
      open_.pop();
      if (!gate_.has_room(best.list.group)) {
        full_.push_back(std::move(best.list));
        continue;
      }
      gate_.take(best.list.group);
      const auto seq = best.place.seq;
      go_on(std::move(best));
      return seq;
    }
  }

  /// Lists that were passed over.
  std::vector<ready_list> full() && {
    return std::move(full_);
  }

private:
  struct item {
    ready_place place;
    ready_list list;
    std::vector<ready_place> fetched; ///< what follows, last first
    std::int64_t fetch = 1;

    bool operator<(const item& other) const {
      return other.place < place; // a queue's top is its greatest
    }
  };

  /// Opens the list of the head at hand and looks at the next one.
  void next_head() {
    if (head_)
      open_.push(std::move(*head_));
    head_.reset();
    if (heads_.next())
      head_ = item{{heads_.number(2), heads_.number(3)},
                   {queue_, std::string{heads_.text(0)}, heads_.number(1)},
                   {}};
  }

  void go_on(item list) {
    if (list.fetched.empty())
      fetch(list);
    if (list.fetched.empty())
      return;
    list.place = list.fetched.back();
    list.fetched.pop_back();
    open_.push(std::move(list));
  }

  void fetch(item& from) {
    auto rows =
      ready_.following_.start(queue_, from.list.group, from.list.priority,
                              from.place.score, from.place.seq, from.fetch);
    while (rows.next())
      from.fetched.push_back({rows.number(0), rows.number(1)});
    std::ranges::reverse(from.fetched);
    from.fetch = std::min(from.fetch * 4, chunk);
  }

  sqlite_ready& ready_;
  const std::string& queue_;
  const bool urgent_; ///< ends where nobody waits for the next
  sqlite_gate& gate_;
  std::vector<ready_list> full_;
  cursor heads_;
  std::optional<item> head_;
  std::priority_queue<item> open_;
};

std::vector<std::int64_t> sqlite_ready::best(const claim_request& request,
                                             sqlite_gate& gate) {
  std::vector<std::int64_t> jobs;
  std::vector<ready_list> full;
  {
    merge lists{*this, request.queue, request.urgent, gate};
    while (jobs.size() < request.max && gate.room() > 0) {
      const auto seq = lists.next();
      if (seq == 0)
        break;
      jobs.push_back(seq);
    }
    full = std::move(lists).full();
  }
  for (const auto& list : full)
    park(list, gate);
  return jobs;
}

void sqlite_ready::park(const ready_list& list, const sqlite_gate& gate) {
  flow_.park(list.queue, list.group, list.priority,
             gate.parked_until(list.group));
}

timestamp_ms sqlite_ready::oldest(const std::string& queue) {
  timestamp_ms oldest = 0;
  for (std::int64_t priority = 0; priority < lanes; ++priority) {
    auto row = oldest_.start(queue, priority);
    if (!row.next())
      continue;
    const auto ready = priority == urgent_lane
                         ? ready_of(row.number(1), urgent_lane, 0)
                         : row.number(0);
    if (oldest == 0 || ready < oldest)
      oldest = ready;
  }
  return oldest;
}

} // namespace troupe::store
