#pragma once

#include "actors/store/job_store.hpp"
#include "actors/store/redis_calls.hpp"

#include <chrono>
#include <memory>

namespace troupe::store {

/// The store in a Redis server (or Valkey, or any that speaks like Redis 7 and
/// runs Lua), at `redis://…` or `unix://…`; see `read_redis_url`. Any number
/// of stores may work on one database at a time. A lost connection answers
/// `unavailable` and is opened again within a later call.
///
/// Invariant: no job is kept here; everything is asked of the server.
class redis_store final : public job_store {
public:
  redis_store(const store_options& options, redis_address address)
    : options_{options}, client_{std::move(address), options.timeout_ms} {
    // nop
  }

  result<void> open() {
    return client_.open();
  }

  result<std::vector<applied>> apply(std::span<const operation> ops) override;
  result<std::vector<job>> claim(const claim_request& request) override;
  result<std::vector<errc>> renew(std::span<const held_lease> leases,
                                  std::int64_t lease_ms) override;
  result<sweep_result> sweep(const sweep_request& request) override;
  result<sweep_result> adopt(const sweep_request& request) override;
  result<job> get(const std::string& id) override;
  result<job_page> list(const list_query& query) override;
  result<std::vector<queue_depth>> depths() override;

  [[nodiscard]] durability level() const noexcept override {
    return client_.level();
  }

private:
  using clock = std::chrono::steady_clock;
  using replies = std::vector<redis_reply_ptr>;

  script_settings settings(std::int64_t lease_ms) const;
  result<replies> run(std::span<const script_call> calls,
                      std::int64_t lease_ms);
  result<void> promote_due();
  result<bool> claim_once(const claim_request& request, bool promoted,
                          std::vector<job>& out);
  bool is_short_of_memory();
  result<std::vector<std::string>> leased_ids();
  result<replies> read_rows(const list_query& query, std::uint64_t below,
                            std::size_t count);

  store_options options_;
  redis_client client_;
  redis_memory memory_; ///< as of `memory_read_`
  clock::time_point memory_read_{};
};

/// `bad_config` for a wrong URL or password, a server that evicts keys, and
/// data of another layout; `unavailable` for a server that does not answer.
[[nodiscard]] result<std::unique_ptr<job_store>>
open_redis_store(const store_options& options);

} // namespace troupe::store
