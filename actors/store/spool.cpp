#include "actors/store/spool.hpp"

#include "actors/store/operation_text.hpp"

#include <algorithm>

namespace troupe::store {

namespace {

constexpr const char* spool_schema = R"(
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS op(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS kept(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  through INTEGER NOT NULL,
  life TEXT NOT NULL);
)";

} // namespace

submit_op as_spooled(submit_op op, moment now) {
  op.spooled = true;
  if (op.draft.delay_ms > 0)
    op.since = std::move(now);
  return op;
}

spool::spool(std::unique_ptr<sqlite_db> db, std::uint64_t max_bytes)
  : db_{std::move(db)},
    max_bytes_{max_bytes}, insert_{*db_, "INSERT INTO op(body) VALUES(?1)"},
    all_{*db_, "SELECT seq, body FROM op ORDER BY seq"},
    drop_{*db_, "DELETE FROM op WHERE seq <= ?1"},
    weigh_{*db_, "SELECT coalesce(sum(length(body)), 0), count(*) FROM op"
                 " WHERE seq <= ?1"},
    measure_{*db_, "SELECT count(*), coalesce(sum(length(body)), 0) FROM op"},
    keep_{*db_, "INSERT OR REPLACE INTO kept VALUES(1, ?1, ?2)"},
    look_up_{*db_, "SELECT through, life FROM kept"} {}

result<std::unique_ptr<spool>> spool::open(const std::string& path,
                                           std::uint64_t max_bytes) {
  auto db = sqlite_db::open(path, 1000);
  if (!db)
    return db.error();
  (*db)->run(spool_schema);
  std::unique_ptr<spool> opened{new spool{std::move(*db), max_bytes}};
  if (auto known = opened->measure(); !known)
    return known.error();
  // Nothing that was acknowledged is passed over in silence.
  if (auto all = opened->read(); !all)
    return all.error();
  return opened;
}

result<void> spool::measure() {
  auto row = measure_.start();
  if (!row.next())
    return db_->end(); // tells why
  size_ = static_cast<std::size_t>(row.number(0));
  bytes_ = static_cast<std::uint64_t>(row.number(1));
  auto known = look_up_.start();
  if (!known.next())
    return {};
  kept_part found{known.number(0), std::string{known.text(1)}, 0};
  auto weighed = weigh_.start(found.through);
  if (weighed.next())
    found.size = static_cast<std::size_t>(weighed.number(1));
  if (found.size > 0)
    kept_ = std::move(found);
  return {};
}

result<void> spool::keep(std::int64_t through, const std::string& life) {
  kept_part now{through, life, 0};
  db_->begin(true);
  keep_.run(through, life);
  {
    auto row = weigh_.start(through);
    if (row.next())
      now.size = static_cast<std::size_t>(row.number(1));
  }
  if (auto done = db_->end(); !done)
    return done;
  kept_ = std::move(now);
  return {};
}

result<std::int64_t> spool::append(std::span<const operation> ops,
                                   bool always) {
  std::vector<std::string> bodies;
  std::uint64_t more = 0;
  for (const auto& op : ops)
    if (auto body = pack_operation(op)) {
      more += body->size();
      bodies.push_back(std::move(*body));
    }
  if (bodies.empty())
    return newest_;
  if (!always && bytes_ + more > max_bytes_)
    return fail(errc::queue_full, "the spool is full");
  db_->begin(true);
  for (const auto& body : bodies)
    insert_.run(blob_view{body});
  const auto newest = db_->last_row();
  if (auto done = db_->end(); !done)
    return done.error();
  newest_ = newest;
  size_ += bodies.size();
  bytes_ += more;
  return newest_;
}

result<std::vector<spool::entry>> spool::read() {
  std::vector<entry> ops;
  std::size_t unreadable = 0;
  db_->begin(false);
  {
    auto row = all_.start();
    while (row.next()) {
      if (auto op = unpack_operation(row.blob(1)))
        ops.push_back({row.number(0), std::move(*op)});
      else
        ++unreadable;
    }
  }
  if (auto done = db_->end(); !done)
    return done.error();
  if (unreadable > 0)
    return fail(errc::corrupt, "the spool holds what cannot be read");
  return ops;
}

result<void> spool::drop(std::int64_t through) {
  std::uint64_t gone = 0;
  db_->begin(true);
  {
    auto row = weigh_.start(through);
    if (row.next())
      gone = static_cast<std::uint64_t>(row.number(0));
  }
  const auto rows = drop_.run(through);
  if (auto done = db_->end(); !done)
    return done;
  size_ -= static_cast<std::size_t>(rows);
  bytes_ -= gone;
  kept_.size -= std::min(kept_.size, static_cast<std::size_t>(rows));
  return {};
}

} // namespace troupe::store
