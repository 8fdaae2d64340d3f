#pragma once

#include "actors/store/sqlite_db.hpp"
#include "actors/store/transaction.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::store {

/// What lies beside the jobs of a database; see `transaction`.
class sqlite_records {
public:
  explicit sqlite_records(sqlite_db& db) noexcept;

  std::optional<std::string> read(record_kind kind, const std::string& key);
  void write(record_kind kind, const std::string& key, const std::string& body,
             timestamp_ms due);
  void remove(record_kind kind, const std::string& key);
  std::vector<record_name> due(due_lane lane, timestamp_ms now,
                               std::size_t max);
  timestamp_ms next_due(due_lane lane);

  void link(link_kind kind, const std::string& owner,
            const std::string& member);
  void unlink(link_kind kind, const std::string& owner,
              const std::string& member);
  std::vector<std::string> links(link_kind kind, const std::string& owner,
                                 const std::string& after, std::size_t max);

private:
  statement read_;
  statement write_;
  statement remove_;
  statement due_;
  statement next_due_;
  statement link_;
  statement unlink_;
  statement links_;
};

} // namespace troupe::store
