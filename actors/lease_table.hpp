#pragma once

#include "actors/lease_board.hpp"
#include "actors/store/job_store.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::actors {

/// A lease that this server has handed to one of its pool managers.
struct lease {
  store::fence fence;
  std::string queue; ///< whose manager holds it
  std::string type;
  std::chrono::steady_clock::time_point since;
  media::progress progress; ///< the newest that was heard
  bool unsaved = false;     ///< `progress` is newer than what is stored
  bool cancel_told = false; ///< its manager knows of the cancellation
  bool pause_told = false;  ///< its manager knows that it is to pause
};

/// The leases of this server, by job.
/// Invariants: at most one lease a job, the newest that was claimed here; each
/// stands on the board, as the renewer sees them.
class lease_table {
public:
  /// How long an attempt of a job type may give no sign of life; 0: for ever.
  using stall_rule =
    std::function<std::chrono::milliseconds(std::string_view type)>;

  /// @param board outlives the table and keeps its leases
  void join(std::shared_ptr<lease_board> board, stall_rule stall);

  /// @param silent no attempt of it is under way here
  void add(const store::job& job, std::chrono::steady_clock::time_point now,
           bool silent = false);

  /// A lease that another life of the queue had handed out.
  void add(const store::held_lease& held, std::string queue, std::string type,
           std::chrono::steady_clock::time_point now);

  /// Null if there is none, or one of another fence.
  [[nodiscard]] lease* find(const std::string& id, const store::fence& fence);
  [[nodiscard]] lease* find(const std::string& id);

  void erase(const std::string& id);

  /// Takes note of an attempt's progress; of no known lease: nothing happens.
  void note(const std::string& id, std::uint64_t epoch, media::progress now);

  /// Shows a running job with its newest progress.
  void show_live(store::job& job) const;

  [[nodiscard]] std::vector<store::held_lease> held() const;
  [[nodiscard]] std::vector<store::held_lease>
  held_by(std::string_view queue) const;

  /// Progress that is not stored yet, as operations; it counts as stored then.
  [[nodiscard]] std::vector<store::operation> take_unsaved();
  /// The same of one lease; nothing if it has none, or is not known.
  [[nodiscard]] std::optional<store::operation>
  take_unsaved(const std::string& id, const store::fence& fence);

  /// Since when the oldest lease of each queue that has one is held.
  [[nodiscard]] std::map<std::string_view,
                         std::chrono::steady_clock::time_point>
  oldest() const;

  [[nodiscard]] std::size_t size() const noexcept {
    return leases_.size();
  }

private:
  [[nodiscard]] std::chrono::milliseconds stall_of(std::string_view type) const;

  std::shared_ptr<lease_board> board_ = std::make_shared<lease_board>();
  stall_rule stall_;
  std::unordered_map<std::string, lease> leases_;
};

} // namespace troupe::actors
