#pragma once

#include "actors/store/errc.hpp"
#include "config/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace troupe::store {

/// When a commit is on the disk.
enum class syncing : std::uint8_t {
  now,   ///< before `end` returns
  later, ///< with the next one that is synced, in the log's order
};

/// One connection to an SQLite database, used by one thread at a time.
///
/// Invariant: between `begin` and `end`, the first failure sticks: every
/// statement after it does nothing and yields no rows, and `end` rolls back
/// and answers with it. So callers check once, at the end. A transaction that
/// cannot be synced as it is to be does not begin.
class sqlite_db {
public:
  /// @param path of a file, or ":memory:".
  /// @param busy_ms how long to wait for another connection's lock.
  static result<std::unique_ptr<sqlite_db>> open(const std::string& path,
                                                 int busy_ms);

  sqlite_db(const sqlite_db&) = delete;
  sqlite_db& operator=(const sqlite_db&) = delete;
  ~sqlite_db();

  /// Starts a transaction; a writing one takes the write lock at once, so
  /// that it never fails half-way for want of it.
  /// @param how `now` does no more than the database was opened for
  void begin(bool writing, syncing how = syncing::now);
  /// Commits, or rolls back after a failure and answers with it.
  result<void> end();

  /// Runs SQL without parameters or rows.
  void run(const char* sql);

  /// The row id of the newest row added.
  [[nodiscard]] std::int64_t last_row() const;

  /// Ends what another thread does with it now, as a failure, if anything.
  void interrupt() noexcept;

  /// Notes a failure that only the caller can see, such as a row that makes
  /// no sense. An earlier one stays.
  void note(failure why);
  [[nodiscard]] bool failed() const noexcept {
    return failure_.has_value();
  }

private:
  friend class statement;
  friend class cursor;

  struct closer {
    void operator()(sqlite3* handle) const noexcept;
  };

  explicit sqlite_db(sqlite3* handle) noexcept : handle_{handle} {}
  void note_code(int code);

  std::unique_ptr<sqlite3, closer> handle_;
  std::optional<failure> failure_;
  syncing syncs_ = syncing::now;
};

/// What one running statement yields; the statement rests when it is gone.
class cursor {
public:
  explicit cursor(sqlite_db& db, sqlite3_stmt* handle) noexcept
    : db_{db}, handle_{handle} {}
  cursor(const cursor&) = delete;
  cursor& operator=(const cursor&) = delete;
  ~cursor();

  /// Goes to the next row. False at the end and after a failure.
  bool next();

  [[nodiscard]] std::int64_t number(int column) const;
  /// Valid until the next call of `next`.
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::string_view blob(int column) const;

private:
  sqlite_db& db_;
  sqlite3_stmt* handle_;
};

/// Bytes to be bound as a blob.
struct blob_view {
  std::string_view bytes;
};

/// A statement that is prepared once and run often, by one cursor at a time.
class statement {
public:
  /// `sql` has static storage. Prepared at first use.
  statement(sqlite_db& db, const char* sql) noexcept : db_{db}, sql_{sql} {}

  /// Binds parameters from 1 on and starts. Texts and blobs must outlive the
  /// cursor.
  template <class... Args>
  [[nodiscard]] cursor start(const Args&... args) {
    if (ready()) {
      int at = 0;
      (bind(++at, args), ...);
    }
    return cursor{db_, handle_.get()};
  }

  /// For what yields no rows.
  /// @return the number of rows changed.
  template <class... Args>
  std::int64_t run(const Args&... args) {
    auto running = start(args...);
    running.next();
    return changes();
  }

private:
  struct finalizer {
    void operator()(sqlite3_stmt* handle) const noexcept;
  };

  bool ready();
  std::int64_t changes() const;
  void bind(int at, std::int64_t value);
  void bind(int at, std::string_view value);
  void bind(int at, const std::string& value) {
    bind(at, std::string_view{value});
  }
  void bind(int at, blob_view value);
  /// Nothing stands for NULL.
  void bind(int at, const std::optional<std::string_view>& value);

  sqlite_db& db_;
  const char* sql_;
  std::unique_ptr<sqlite3_stmt, finalizer> handle_;
};

} // namespace troupe::store
