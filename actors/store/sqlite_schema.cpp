#include "actors/store/sqlite_schema.hpp"

namespace troupe::store {

namespace {

/// "TRUP" in ASCII: tells our files from those of other programs.
constexpr std::int64_t application_id = 0x54525550;
constexpr std::int64_t newest_version = 3;

/// States are stored by their numbers: 0 scheduled, 2 queued, 6 and above
/// terminal. A partial index is used only by a query that repeats its
/// condition literally.
///
/// `job` holds what is searched and the small blob that transitions rewrite,
/// `draft` the large one that they leave alone. `head` holds the first job of
/// each list (queue, group, priority) of the ready order, so that a claim
/// looks at lists, never at the jobs that wait in them; within a list, order
/// by score is order by ready time. `depth` counts jobs.
constexpr const char* schema = R"(
CREATE TABLE job(
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  queue TEXT NOT NULL,
  grp TEXT NOT NULL,
  priority INTEGER NOT NULL,
  state INTEGER NOT NULL,
  score INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  lease_until INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  node TEXT NOT NULL,
  batch TEXT,
  unique_key TEXT,
  live BLOB NOT NULL);
CREATE INDEX job_state ON job(state);
CREATE INDEX job_ready ON job(queue, grp, priority, score) WHERE state = 2;
CREATE INDEX job_due ON job(run_at) WHERE state = 0;
CREATE INDEX job_leased ON job(lease_until) WHERE lease_until > 0;
CREATE INDEX job_finished ON job(state, finished_at) WHERE finished_at > 0;
CREATE INDEX job_batch ON job(batch) WHERE batch IS NOT NULL;
CREATE UNIQUE INDEX job_unique ON job(unique_key)
  WHERE unique_key IS NOT NULL AND state < 6;

CREATE TABLE draft(seq INTEGER PRIMARY KEY, body BLOB NOT NULL);

CREATE TABLE head(
  queue TEXT NOT NULL,
  grp TEXT NOT NULL,
  priority INTEGER NOT NULL,
  score INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY(queue, grp, priority)) WITHOUT ROWID;
CREATE INDEX head_order ON head(queue, score, seq);
CREATE INDEX head_oldest ON head(queue, priority, score);

CREATE TABLE depth(
  queue TEXT NOT NULL,
  state INTEGER NOT NULL,
  jobs INTEGER NOT NULL,
  PRIMARY KEY(queue, state)) WITHOUT ROWID;

CREATE TABLE answer(
  scope TEXT PRIMARY KEY,
  body_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  job BLOB NOT NULL);
CREATE INDEX answer_age ON answer(created_at);

CREATE TABLE clock(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  alive INTEGER NOT NULL,
  grace_until INTEGER NOT NULL);
INSERT INTO clock VALUES(1, 0, 0);

PRAGMA application_id = 0x54525550;
)";

/// What lies beside the jobs; see `transaction`. `tally` counts the jobs of
/// batches.
constexpr const char* schema_2 = R"(
CREATE TABLE record(
  kind INTEGER NOT NULL,
  key TEXT NOT NULL,
  lane INTEGER NOT NULL,
  due INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY(kind, key));
CREATE INDEX record_due ON record(lane, due) WHERE due > 0;

CREATE TABLE link(
  kind INTEGER NOT NULL,
  owner TEXT NOT NULL,
  member TEXT NOT NULL,
  PRIMARY KEY(kind, owner, member)) WITHOUT ROWID;

CREATE TABLE tally(
  batch TEXT NOT NULL,
  state INTEGER NOT NULL,
  jobs INTEGER NOT NULL,
  PRIMARY KEY(batch, state)) WITHOUT ROWID;

PRAGMA user_version = 2;
)";

/// `flow` holds limits, `held` counts leases by key; a parked list is left out
/// of the order.
constexpr const char* flow_schema = R"(
CREATE TABLE flow(
  name TEXT PRIMARY KEY,
  body BLOB NOT NULL,
  due INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX flow_due ON flow(due) WHERE due > 0;

CREATE TABLE held(
  grp TEXT PRIMARY KEY,
  jobs INTEGER NOT NULL) WITHOUT ROWID;

ALTER TABLE head ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
DROP INDEX head_order;
CREATE INDEX head_order ON head(queue, score, seq) WHERE parked = 0;
CREATE INDEX head_parked ON head(grp) WHERE parked = 1;

PRAGMA user_version = 3;
)";

std::int64_t number_of(sqlite_db& db, const char* sql) {
  statement query{db, sql};
  auto row = query.start();
  return row.next() ? row.number(0) : 0;
}

void migrate(sqlite_db& db) {
  const auto version = number_of(db, "PRAGMA user_version");
  const auto owner = number_of(db, "PRAGMA application_id");
  const bool empty = number_of(db, "SELECT count(*) FROM sqlite_schema") == 0;
  if (db.failed())
    return;
  if (empty && version == 0) {
    db.run(schema);
    db.run(schema_2);
  } else if (owner != application_id) {
    db.note(fail(errc::bad_config, "the file belongs to another program"));
  } else if (version == 1) {
    // Jobs of batches were not counted before.
    db.run(schema_2);
    db.run("INSERT INTO tally SELECT batch, state, count(*) FROM job"
           " WHERE batch IS NOT NULL GROUP BY batch, state");
  } else if (version < 1 || version > newest_version) {
    db.note(fail(errc::bad_config, "the file is of another version"));
  }
  if (version < 3)
    db.run(flow_schema);
}

/// WAL cannot be had on every file system; without it, no promise holds.
void use_wal(sqlite_db& db) {
  statement query{db, "PRAGMA journal_mode = WAL"};
  auto row = query.start();
  if (row.next() && row.text(0) != "wal")
    db.note(fail(errc::bad_config, "no write-ahead log on this file system"));
}

} // namespace

result<std::unique_ptr<sqlite_db>> open_job_database(const std::string& path,
                                                     int busy_ms) {
  auto opened = sqlite_db::open(path, busy_ms);
  if (!opened)
    return opened;
  auto& db = **opened;
  if (path != ":memory:")
    use_wal(db);
  db.run("PRAGMA synchronous = FULL;"
         "PRAGMA secure_delete = OFF;"
         "PRAGMA temp_store = MEMORY;"
         "PRAGMA cache_size = -32768;"
         "PRAGMA wal_autocheckpoint = 4000;"
         "PRAGMA journal_size_limit = 67108864");
  // `begin` forgets what went wrong: it starts a transaction of its own.
  if (!db.failed()) {
    db.begin(true);
    migrate(db);
  }
  if (auto done = db.end(); !done) {
    auto why = done.error();
    why.detail = path + ": " + why.detail;
    return why;
  }
  return opened;
}

} // namespace troupe::store
