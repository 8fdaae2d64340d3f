#include "actors/store/sqlite_db.hpp"

#include "media/descriptor.hpp"

#include <fcntl.h>
#include <sqlite3.h>

#include <cerrno>

namespace troupe::store {

namespace {

/// @param system of the call that failed; 0: none did
errc errc_of(int code, int system) {
  if (system == ENOSPC || system == EDQUOT)
    return errc::disk_full;
  switch (code & 0xff) {
  case SQLITE_FULL:
    return errc::disk_full;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
  case SQLITE_FORMAT:
    return errc::corrupt;
  case SQLITE_CANTOPEN:
  case SQLITE_PERM:
  case SQLITE_READONLY:
  case SQLITE_AUTH:
    return errc::bad_config;
  default:
    // Busy, locked, out of memory, input/output errors.
    return errc::unavailable;
  }
}

failure failure_of(sqlite3* handle, int code) {
  const char* words =
    handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  const int kind = code & 0xff;
  const bool of_file = kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN;
  const int system =
    of_file && handle != nullptr ? sqlite3_system_errno(handle) : 0;
  return fail(errc_of(code, system), words);
}

/// SQLite gives its journals the mode of the file, and a new file 0644. What
/// goes wrong here, it meets again and tells.
void make_private(const std::string& path) {
  const media::descriptor made{::open(
    path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
}

} // namespace

// -- sqlite_db ----------------------------------------------------------------

void sqlite_db::closer::operator()(sqlite3* handle) const noexcept {
  sqlite3_close_v2(handle);
}

result<std::unique_ptr<sqlite_db>> sqlite_db::open(const std::string& path,
                                                   int busy_ms) {
  if (path != ":memory:")
    make_private(path);
  sqlite3* handle = nullptr;
  const int code =
    sqlite3_open_v2(path.c_str(), &handle,
                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                      | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                    nullptr);
  // A handle is made even when opening fails.
  std::unique_ptr<sqlite_db> db{new sqlite_db{handle}};
  if (code != SQLITE_OK) {
    auto why = failure_of(handle, code);
    why.detail = path + ": " + why.detail;
    return why;
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, busy_ms);
  return db;
}

sqlite_db::~sqlite_db() = default;

void sqlite_db::begin(bool writing, syncing how) {
  failure_.reset();
  if (how != syncs_)
    run(how == syncing::now ? "PRAGMA synchronous = FULL"
                            : "PRAGMA synchronous = NORMAL");
  if (!failure_)
    syncs_ = how;
  run(writing ? "BEGIN IMMEDIATE" : "BEGIN");
}

result<void> sqlite_db::end() {
  if (!failure_)
    run("COMMIT");
  if (!failure_)
    return {};
  // Some failures have rolled back already.
  if (sqlite3_get_autocommit(handle_.get()) == 0)
    sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  return *failure_;
}

void sqlite_db::run(const char* sql) {
  if (failure_)
    return;
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK)
    note_code(code);
}

std::int64_t sqlite_db::last_row() const {
  return sqlite3_last_insert_rowid(handle_.get());
}

void sqlite_db::interrupt() noexcept {
  sqlite3_interrupt(handle_.get());
}

void sqlite_db::note(failure why) {
  if (!failure_)
    failure_ = std::move(why);
}

void sqlite_db::note_code(int code) {
  note(failure_of(handle_.get(), code));
}

// -- cursor -------------------------------------------------------------------

cursor::~cursor() {
  if (handle_ != nullptr) {
    sqlite3_reset(handle_);
    sqlite3_clear_bindings(handle_);
  }
}

bool cursor::next() {
  if (db_.failed() || handle_ == nullptr)
    return false;
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW)
    return true;
  if (code != SQLITE_DONE)
    db_.note_code(code);
  return false;
}

std::int64_t cursor::number(int column) const {
  return sqlite3_column_int64(handle_, column);
}

std::string_view cursor::text(int column) const {
  return blob(column);
}

std::string_view cursor::blob(int column) const {
  const void* bytes = sqlite3_column_blob(handle_, column);
  if (bytes == nullptr)
    return {};
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

// -- statement ----------------------------------------------------------------

void statement::finalizer::operator()(sqlite3_stmt* handle) const noexcept {
  sqlite3_finalize(handle);
}

bool statement::ready() {
  if (db_.failed())
    return false;
  if (handle_)
    return true;
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(
    db_.handle_.get(), sql_, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK)
    db_.note_code(code);
  return code == SQLITE_OK;
}

std::int64_t statement::changes() const {
  return db_.failed() ? 0 : sqlite3_changes64(db_.handle_.get());
}

void statement::bind(int at, std::int64_t value) {
  sqlite3_bind_int64(handle_.get(), at, value);
}

void statement::bind(int at, std::string_view value) {
  const char* text = value.data() != nullptr ? value.data() : "";
  sqlite3_bind_text64(handle_.get(), at, text, value.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
}

void statement::bind(int at, blob_view value) {
  sqlite3_bind_blob64(handle_.get(), at, value.bytes.data(), value.bytes.size(),
                      SQLITE_STATIC);
}

void statement::bind(int at, const std::optional<std::string_view>& value) {
  if (value)
    bind(at, *value);
  else
    sqlite3_bind_null(handle_.get(), at);
}

} // namespace troupe::store
