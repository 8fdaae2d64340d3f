#pragma once

#include "actors/store/redis_group.hpp"
#include "actors/store/redis_guess.hpp"
#include "actors/store/transactional_store.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>

namespace troupe::store {

/// Where looks at what may be forgotten go on, past what is kept: the three
/// classes of `finished`, then all of them. Empty: from the first.
using redis_trim_places = std::array<std::string, 4>;

/// The store in a Redis server (or Valkey, or any that speaks like Redis 7 and
/// runs Lua), at `redis://…` and the like; see `read_redis_url`. Any number
/// of stores may work on one database at a time. A lost connection answers
/// `unavailable` and is opened again within a later call.
///
/// Invariant: no job is kept here; everything is asked of the server. What is
/// asked for may be guessed, never the answer.
class redis_store final : public transactional_store {
public:
  redis_store(const store_options& options, redis_address address)
    : transactional_store{options}, client_{std::move(address),
                                            options.timeout_ms} {
    // nop
  }

  result<void> open() {
    return client_.open();
  }

  result<std::vector<applied>> apply(std::span<const operation> ops) override;
  result<claim_result> claim(const claim_request& request) override;
  result<std::vector<errc>> renew(std::span<const held_lease> leases,
                                  std::int64_t lease_ms) override;
  result<std::vector<errc>> look(std::span<const held_lease> leases) override;
  result<sweep_result> sweep(const sweep_request& request) override;
  result<sweep_result> adopt(const sweep_request& request) override;
  result<job> get(const std::string& id) override;
  result<job_page> list(const list_query& query) override;
  result<std::vector<queue_depth>> depths() override;
  result<audit_result> audit(const audit_request& request) override;

  [[nodiscard]] durability level() const noexcept override {
    return client_.best();
  }
  [[nodiscard]] std::string life() const override {
    return client_.life();
  }
  result<bool> synced(sync_watch& watch) override {
    return client_.synced(watch);
  }

protected:
  result<void> transact(access how, const step& once) override;
  result<durability> secure(durability asked,
                            std::span<const std::string> jobs) override;
  [[nodiscard]] std::size_t jobs_at_once() const noexcept override {
    return client_.pace().jobs();
  }

private:
  using clock = std::chrono::steady_clock;

  /// Reads and changes what it needs; called again, with a new group, when
  /// another server got in its way.
  using group_step = std::function<result<void>(redis_group&)>;

  result<void> attempt(const group_step& once);
  result<void> secure_submits(std::span<const operation> ops,
                              std::span<applied> answers);
  result<bool> has_told_too_much(std::span<const operation> ops);
  result<void> correct(std::span<applied* const> answers, durability reached);
  result<void> note_reached(std::span<const std::string> jobs,
                            durability reached);
  result<std::vector<applied>> apply_group(std::span<const operation> ops,
                                           bool has_room);
  result<std::vector<errc>> renew_group(std::span<const held_lease> leases,
                                        std::int64_t lease_ms);
  result<std::vector<errc>> look_group(std::span<const held_lease> leases);
  result<void> promote_due(std::vector<job>& promoted);
  result<void> promote(std::size_t most, sweep_result& out);
  result<void> expire(const sweep_request& request, std::size_t most,
                      sweep_result& out);
  result<void> find_next_due(sweep_result& out);
  result<void> trim(bool short_of_memory, std::size_t most, sweep_result& out);
  result<void> adopt_group(std::span<const std::string> ids,
                           const sweep_request& request, sweep_result& out);
  bool is_short_of_memory();
  void note_ready(std::span<const operation> ops,
                  std::span<const applied> answers);

  redis_client client_;
  bool expects_limits_ = false; ///< there were some at the last claim
  std::map<std::string, claim_guess, std::less<>> guesses_; ///< by queue
  redis_memory memory_; ///< as of `memory_read_`
  clock::time_point memory_read_{};
  std::uint64_t written_then_ = 0; ///< bytes of `client_` at that time
  redis_trim_places trim_from_;
};

/// `bad_config` for a wrong URL or password, a server that evicts keys, and
/// data of another layout; `unavailable` for a server that does not answer.
[[nodiscard]] result<std::unique_ptr<job_store>>
open_redis_store(const store_options& options);

} // namespace troupe::store
