#include "actors/store/redis_sync.hpp"

#include "actors/store/redis_info.hpp"

namespace troupe::store {

namespace {

/// Two of the intervals at which a server syncs.
constexpr std::int64_t patience_ms = 2000;

/// Steps of a watch, by what was seen.
enum : std::uint8_t {
  nothing,    ///< what was told may wait to be written
  written,    ///< it was, and what is synced later has it
  sync_begun, ///< such a sync has begun
  safe,
};

} // namespace

redis_log_facts read_log_facts(std::string_view info) {
  const auto is = [info](std::string_view name, std::string_view value) {
    return info_field(info, name) == value;
  };
  redis_log_facts facts;
  facts.life = info_field(info, "run_id");
  facts.now =
    static_cast<timestamp_ms>(info_number(info, "server_time_usec") / 1000);
  facts.has_log = is("aof_enabled", "1");
  facts.syncs = is("aof_last_write_status", "ok")
                && is("rdb_bgsave_in_progress", "0")
                && is("aof_rewrite_in_progress", "0");
  facts.idle = is("aof_buffer_length", "0") && is("aof_pending_bio_fsync", "0");
  return facts;
}

/// A server writes and, when a second of its clock has gone by, begins to sync
/// what it has written before it sends its answers: so the answer to a look
/// tells that it has, unless one was under way. What was under way at the
/// first step proves nothing, hence idle.
bool look_again(sync_watch& watch, const redis_log_facts& facts) {
  if (!facts.syncs)
    watch.step = nothing;
  else if (watch.step == nothing && facts.idle) {
    watch.step = written;
    watch.since = facts.now;
  } else if (watch.step == written && facts.now - watch.since >= patience_ms)
    watch.step = sync_begun;
  else if (watch.step == sync_begun && facts.idle)
    watch.step = safe;
  return watch.step == safe;
}

} // namespace troupe::store
