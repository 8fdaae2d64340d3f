#include "actors/store/redis_info.hpp"

#include "actors/store/errc.hpp"
#include "actors/store/redis_keys.hpp"
#include "actors/store/redis_reply.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace troupe::store {

namespace {

/// Of the packed jobs and the keys; see lua/README.md.
constexpr std::string_view layout = "3";
/// The one before: its jobs can be read, and its keys hold what ours do.
constexpr std::string_view older_layout = "2";

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// What a log of the server's is worth. Hosted servers may forbid CONFIG: then
/// it syncs every second, as is usual. One that never syncs promises nothing.
durability level_of_log(const redisReply& appendfsync) {
  if (size_of(appendfsync) != 2)
    return durability::interval;
  const auto when = text_at(appendfsync, 1);
  if (when == "no")
    return durability::memory;
  return when == "always" ? durability::disk : durability::interval;
}

/// A log that was just switched on holds nothing until it is written anew.
bool is_log_whole(std::string_view info, const redis_facts& before) {
  if (info_field(info, "aof_enabled") != "1")
    return false;
  const bool knew = before.life.empty() ? info_number(info, "aof_base_size") > 0
                                        : before.has_log;
  return knew
         || (info_field(info, "aof_rewrite_in_progress") != "1"
             && info_field(info, "aof_rewrite_scheduled") != "1");
}

bool knows_waitaof(std::string_view version) {
  const auto major = number(version.substr(0, version.find('.')));
  const auto minor =
    number(version.substr(std::min(version.size(), version.find('.') + 1)));
  return major > 7 || (major == 7 && minor >= 2);
}

result<void> check_layout(redis_connection& connection) {
  auto marked =
    connection.ask({"HSETNX", name_of(redis_key::meta), "layout", layout});
  // A server out of memory still serves the jobs that it has.
  if (!marked && marked.error().code != errc::queue_full)
    return marked.error();
  auto found = connection.ask({"HGET", name_of(redis_key::meta), "layout"});
  if (!found)
    return found.error();
  if (text_of(**found) == older_layout) {
    auto raised =
      connection.ask({"HSET", name_of(redis_key::meta), "layout", layout});
    return raised ? result<void>{} : raised.error();
  }
  const bool unmarked = !marked && (*found)->type == REDIS_REPLY_NIL;
  if (!unmarked && text_of(**found) != layout)
    return fail(errc::bad_config,
                "the Redis database holds jobs of another layout, "
                  + std::string{text_of(**found)});
  return {};
}

/// Redis looks through small sets and hashes one member after the other. A
/// member of more than 64 bytes makes it keep them as large ones; no range and
/// no name of ours reaches it.
void keep_fast(redis_connection& connection) {
  const std::string last(80, '\xff');
  std::vector<redis_args> commands;
  for (const auto key :
       {redis_key::ready, redis_key::heads, redis_key::states,
        redis_key::finished, redis_key::batches, redis_key::links})
    commands.push_back({"ZADD", name_of(key), "0", last});
  for (const auto key :
       {redis_key::schedule, redis_key::leases, redis_key::forget,
        redis_key::due, redis_key::calls_due})
    commands.push_back({"ZADD", name_of(key), "+inf", last});
  commands.push_back({"HSET", name_of(redis_key::unique), last, ""});
  // What fails here is told by what follows, or slower only.
  static_cast<void>(connection.run(commands));
}

} // namespace

std::string_view info_field(std::string_view info, std::string_view name) {
  const auto key = "\n" + std::string{name} + ":";
  auto at = info.find(key);
  if (at == info.npos)
    return {};
  at += key.size();
  return info.substr(at, info.find_first_of("\r\n", at) - at);
}

std::uint64_t info_number(std::string_view info, std::string_view name) {
  return number(info_field(info, name));
}

/// Lines `slave0:ip=…,port=…,state=online,…`.
std::uint32_t replicas_in(std::string_view info) {
  std::uint32_t count = 0;
  for (auto at = info.find("\nslave"); at != info.npos;
       at = info.find("\nslave", at + 1)) {
    const auto line = info.substr(at, info.find('\r', at) - at);
    count += line.find("state=online") != line.npos ? 1 : 0;
  }
  return count;
}

result<redis_memory> look_at_redis(redis_connection& connection,
                                   redis_facts& known) {
  const std::vector<redis_args> commands{{"INFO"},
                                         {"CONFIG", "GET", "appendfsync"}};
  const auto replies = connection.run(commands);
  if (!replies)
    return replies.error();
  const auto& said = *replies->front();
  if (said.type == REDIS_REPLY_ERROR)
    return sort_redis_error({said.str, said.len});
  const auto info = text_of(said);
  const auto policy = info_field(info, "maxmemory_policy");
  if (policy != "noeviction")
    return fail(errc::bad_config, "Redis would drop jobs: maxmemory-policy is "
                                    + std::string{policy} + ", not noeviction");
  known.has_log = is_log_whole(info, known);
  known.level =
    known.has_log ? level_of_log(*replies->back()) : durability::memory;
  const auto version = info_field(info, "redis_version");
  known.waits_for_disk =
    known.level == durability::interval && knows_waitaof(version);
  known.replicas = replicas_in(info);
  return redis_memory{.used = info_number(info, "used_memory"),
                      .limit = info_number(info, "maxmemory")};
}

result<redis_facts> inspect_redis(redis_connection& connection) {
  auto reply = connection.ask({"INFO"});
  if (!reply)
    return reply.error();
  const auto info = text_of(**reply);
  redis_facts facts;
  if (auto fit = look_at_redis(connection, facts); !fit)
    return fit.error();
  if (info_field(info, "loading") == "1")
    return fail(errc::unavailable, "redis: it loads its data");
  if (info_field(info, "role") == "slave")
    return fail(errc::unavailable, "redis: it is a replica");
  facts.life = info_field(info, "run_id");
  const auto version = info_field(info, "redis_version");
  facts.major_version =
    static_cast<int>(number(version.substr(0, version.find('.'))));
  if (auto fit = check_layout(connection); !fit)
    return fit.error();
  keep_fast(connection);
  return facts;
}

result<redis_endpoint> find_master(const redis_address& address,
                                   std::int64_t timeout_ms) {
  for (const auto& sentinel : address.sentinels) {
    redis_address at;
    at.host = sentinel.host;
    at.port = sentinel.port;
    redis_connection asked{std::move(at), timeout_ms};
    if (!asked.connect())
      continue;
    const auto reply =
      asked.ask({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.master});
    if (!reply || size_of(**reply) != 2)
      continue;
    redis_endpoint found;
    found.host = text_at(**reply, 0);
    found.port = static_cast<std::uint16_t>(number_at(**reply, 1));
    return found;
  }
  return fail(errc::unavailable,
              "no Sentinel knows where " + address.master + " is");
}

} // namespace troupe::store
