#include "actors/store/sqlite_audit.hpp"

#include <algorithm>

/// Every list that is not empty has a head, that of its first job.
namespace troupe::store {

namespace {

/// A list as a position: priority, size of the queue's name, names.
std::string position_of(const ready_list& it) {
  return std::to_string(it.priority) + ":" + std::to_string(it.queue.size())
         + ":" + it.queue + it.group;
}

ready_list list_at(std::string_view position) {
  ready_list it;
  const auto first = position.find(':');
  if (first == position.npos)
    return it;
  const auto second = position.find(':', first + 1);
  const auto size = std::size_t(number_in(position.substr(first + 1)));
  it.priority = number_in(position);
  it.queue = position.substr(second + 1, size);
  it.group = position.substr(std::min(position.size(), second + 1 + size));
  return it;
}

std::string name_of(const ready_list& it) {
  return it.queue + "/" + it.group + "/" + std::to_string(it.priority);
}

} // namespace

void sqlite_audit::heads(const std::string& position) {
  const auto after_list = list_at(position);
  struct head {
    ready_list list;
    ready_place place;
    bool parked;
  };
  std::vector<head> found;
  {
    statement query{db_, "SELECT queue, grp, priority, score, seq, parked"
                         " FROM head WHERE (queue, grp, priority)"
                         " > (?1, ?2, ?3) ORDER BY queue, grp, priority"
                         " LIMIT ?4"};
    auto row = query.start(after_list.queue, after_list.group,
                           after_list.priority, request_.max);
    while (row.next())
      found.push_back(
        {{std::string{row.text(0)}, std::string{row.text(1)}, row.number(2)},
         {row.number(3), row.number(4)},
         row.number(5) != 0});
  }
  for (const auto& it : found)
    check_head(it.list, it.place, it.parked);
  out_.looked_at += found.size();
  go_on(phase_heads, found.empty() ? "" : position_of(found.back().list),
        found.size() < request_.max);
}

void sqlite_audit::check_head(const ready_list& list, ready_place place,
                              bool parked) {
  std::optional<ready_place> first;
  {
    statement query{db_, "SELECT score, seq FROM job INDEXED BY job_ready"
                         " WHERE state = 2 AND queue = ?1 AND grp = ?2"
                         " AND priority = ?3 ORDER BY score, seq LIMIT 1"};
    auto row = query.start(list.queue, list.group, list.priority);
    if (row.next())
      first = ready_place{row.number(0), row.number(1)};
  }
  if (!first) {
    if (find("head", name_of(list), "nothing is queued there")) {
      statement drop{db_, "DELETE FROM head WHERE queue = ?1 AND grp = ?2"
                          " AND priority = ?3"};
      drop.run(list.queue, list.group, list.priority);
    }
    return;
  }
  if (place != *first
      && find("head", name_of(list), "another job is the first")) {
    statement mend{db_, "UPDATE head SET score = ?4, seq = ?5 WHERE queue = ?1"
                        " AND grp = ?2 AND priority = ?3"};
    mend.run(list.queue, list.group, list.priority, first->score, first->seq);
  }
  if (parked && has_room(list)
      && find("parked", name_of(list), "its group has room")) {
    statement mend{db_, "UPDATE head SET parked = 0 WHERE queue = ?1"
                        " AND grp = ?2 AND priority = ?3"};
    mend.run(list.queue, list.group, list.priority);
  }
}

/// One that waits for a token is let go by the next claim.
bool sqlite_audit::has_room(const ready_list& list) {
  if (!flow_.in_use())
    return true;
  const auto name = flow_name_of_key(list.group);
  {
    statement query{db_, "SELECT due FROM flow WHERE name = ?1 AND due > 0"};
    auto row = query.start(name);
    if (row.next())
      return false;
  }
  sqlite_gate gate{flow_, list.queue, now_};
  return gate.has_room(list.group);
}

/// Lists that have no head: from each to the next by the index.
void sqlite_audit::lists(const std::string& position) {
  statement next{db_, "SELECT queue, grp, priority, score, seq FROM job"
                      " INDEXED BY job_ready WHERE state = 2"
                      " AND (queue, grp, priority) > (?1, ?2, ?3)"
                      " ORDER BY queue, grp, priority, score, seq LIMIT 1"};
  statement head{db_, "SELECT 1 FROM head WHERE queue = ?1 AND grp = ?2"
                      " AND priority = ?3"};
  statement mend{db_, "INSERT INTO head VALUES(?1, ?2, ?3, ?4, ?5, 0)"};
  auto at = list_at(position);
  std::uint32_t count = 0;
  for (; count < request_.max; ++count) {
    ready_place place;
    {
      auto row = next.start(at.queue, at.group, at.priority);
      if (!row.next())
        break;
      place = {row.number(3), row.number(4)};
      ready_list found{std::string{row.text(0)}, std::string{row.text(1)},
                       row.number(2)};
      at = std::move(found);
    }
    bool known = false;
    {
      auto row = head.start(at.queue, at.group, at.priority);
      known = row.next();
    }
    if (!known && find("head", name_of(at), "no claim finds what is queued"))
      mend.run(at.queue, at.group, at.priority, place.score, place.seq);
  }
  out_.looked_at += count;
  go_on(phase_lists, position_of(at), count < request_.max);
}

} // namespace troupe::store
