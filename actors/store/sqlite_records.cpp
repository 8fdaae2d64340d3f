#include "actors/store/sqlite_records.hpp"

namespace troupe::store {

namespace {

template <class Enum>
std::int64_t number_of(Enum value) {
  return static_cast<std::int64_t>(value);
}

} // namespace

sqlite_records::sqlite_records(sqlite_db& db) noexcept
  : read_{db, "SELECT body FROM record WHERE kind = ?1 AND key = ?2"},
    write_{db, "INSERT OR REPLACE INTO record VALUES(?1, ?2, ?3, ?4, ?5)"},
    remove_{db, "DELETE FROM record WHERE kind = ?1 AND key = ?2"},
    due_{db, "SELECT kind, key FROM record INDEXED BY record_due"
             " WHERE due > 0 AND lane = ?1 AND due <= ?2"
             " ORDER BY due LIMIT ?3"},
    next_due_{db, "SELECT due FROM record INDEXED BY record_due"
                  " WHERE due > 0 AND lane = ?1 ORDER BY due LIMIT 1"},
    link_{db, "INSERT OR IGNORE INTO link VALUES(?1, ?2, ?3)"},
    unlink_{db, "DELETE FROM link"
                " WHERE kind = ?1 AND owner = ?2 AND member = ?3"},
    links_{db, "SELECT member FROM link WHERE kind = ?1 AND owner = ?2"
               " AND member > ?3 ORDER BY member LIMIT ?4"} {}

std::optional<std::string> sqlite_records::read(record_kind kind,
                                                const std::string& key) {
  auto row = read_.start(number_of(kind), key);
  if (!row.next())
    return {};
  return std::string{row.blob(0)};
}

void sqlite_records::write(record_kind kind, const std::string& key,
                           const std::string& body, timestamp_ms due) {
  write_.run(number_of(kind), key, number_of(lane_of(kind)), due,
             blob_view{body});
}

void sqlite_records::remove(record_kind kind, const std::string& key) {
  remove_.run(number_of(kind), key);
}

std::vector<record_name> sqlite_records::due(due_lane lane, timestamp_ms now,
                                             std::size_t max) {
  std::vector<record_name> names;
  auto row = due_.start(number_of(lane), now, std::int64_t(max));
  while (row.next())
    names.push_back(
      {static_cast<record_kind>(row.number(0)), std::string{row.text(1)}});
  return names;
}

timestamp_ms sqlite_records::next_due(due_lane lane) {
  auto row = next_due_.start(number_of(lane));
  return row.next() ? row.number(0) : 0;
}

void sqlite_records::link(link_kind kind, const std::string& owner,
                          const std::string& member) {
  link_.run(number_of(kind), owner, member);
}

void sqlite_records::unlink(link_kind kind, const std::string& owner,
                            const std::string& member) {
  unlink_.run(number_of(kind), owner, member);
}

std::vector<std::string> sqlite_records::links(link_kind kind,
                                               const std::string& owner,
                                               const std::string& after,
                                               std::size_t max) {
  std::vector<std::string> members;
  auto row = links_.start(number_of(kind), owner, after, std::int64_t(max));
  while (row.next())
    members.emplace_back(row.text(0));
  return members;
}

} // namespace troupe::store
