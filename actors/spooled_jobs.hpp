#pragma once

#include "actors/store/job_store.hpp"

#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

namespace troupe::actors {

/// Submits that were acknowledged while the store was away, as their clients
/// see them, and the keys that they have taken here.
/// Invariant: `scopes_` and `keys_` name jobs of `jobs_`.
class spooled_jobs {
public:
  /// Nothing: the submit is new. Else the job of the same key, or why not.
  [[nodiscard]] std::optional<store::applied>
  answered(const store::submit_op& op) const;

  /// Takes note of a new one. @param now by this server's clock
  const store::job& add(const store::submit_op& op, timestamp_ms now);
  /// It is in the store now.
  void forget(const store::submit_op& op);

  /// Null if there is none.
  [[nodiscard]] const store::job* find(const std::string& id) const;

private:
  struct first_answer {
    std::string body_hash, id;
  };

  std::unordered_map<std::string, store::job> jobs_;
  std::unordered_map<std::string, first_answer> scopes_;
  std::unordered_map<std::string, std::string> keys_;
};

} // namespace troupe::actors
