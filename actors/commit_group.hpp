#pragma once

#include "actors/messages.hpp"

#include <caf/typed_response_promise.hpp>

#include <optional>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

namespace troupe::actors {

/// What it means to those who listen that a job has come into this state;
/// nothing for one that they hear of otherwise.
/// @param when_waiting what it means to wait for a claim (again)
[[nodiscard]] std::optional<job_event_type>
event_of_state(store::job_state state, job_event_type when_waiting);

/// What a stored operation means to those who listen; nothing for one that
/// changed no state.
/// @param in_doubt it was tried before and may have happened then, unseen.
[[nodiscard]] std::optional<job_event_type>
event_of(const store::operation& op, const store::applied& done, bool in_doubt);

/// What waits for one write to the store: operations, and who asked for which.
/// Invariant: every operation belongs to exactly one entry; entries are in the
/// order of their operations, which is that of arrival.
class commit_group {
public:
  using settle_promise = caf::typed_response_promise<settle_reply>;

  struct submit_entry {
    answer<submit_reply> reply;
  };
  struct command_entry {
    answer<store::job> reply;
  };
  struct settle_entry {
    std::size_t count = 0;
    room freed;
    settle_promise promise; ///< not pending: nobody asked
    /// Number of its last operation in the spool; 0: it is not there.
    std::int64_t logged = 0;
  };
  struct change_entry {
    answer<store::applied> reply;
  };
  using entry =
    std::variant<submit_entry, command_entry, settle_entry, change_entry>;

  /// @return false if an earlier submit of this group has the same key.
  [[nodiscard]] bool claim_key(const std::string& scope);

  void add(submit_request request);
  void add(job_command command);
  void add(change_call call);
  void add(std::vector<store::operation> ops, room freed,
           settle_promise promise, std::int64_t logged = 0);

  /// Takes entries from the front: `most` operations, or one entry.
  commit_group take_front(std::size_t most);
  /// Puts another one's entries before or behind those here.
  void prepend(commit_group other);
  void append(commit_group other);

  /// Moves the settlements of `other` behind those here, and answers all else
  /// that waits there with `why`.
  void take_settlements(commit_group other, const failure& why);

  /// Room of that queue that was to be free by then belongs to nobody.
  void forget_room(const std::string& queue);

  [[nodiscard]] bool empty() const noexcept {
    return entries.empty();
  }

  std::vector<store::operation> ops;
  std::vector<entry> entries;

private:
  std::unordered_set<std::string> scopes_;
};

} // namespace troupe::actors
