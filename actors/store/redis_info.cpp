#include "actors/store/redis_info.hpp"

#include "actors/store/errc.hpp"

#include <hiredis/hiredis.h>

#include <charconv>
#include <string>

namespace troupe::store {

namespace {

/// Of the packed jobs and the keys; see lua/job.lua.
constexpr std::string_view layout = "1";

std::string_view text_of(const redis_reply_ptr& reply) {
  return reply->str != nullptr ? std::string_view{reply->str, reply->len}
                               : std::string_view{};
}

/// The value of a line `name:value` of an INFO reply; empty if missing.
std::string_view field(std::string_view info, std::string_view name) {
  const auto key = "\n" + std::string{name} + ":";
  auto at = info.find(key);
  if (at == info.npos)
    return {};
  at += key.size();
  return info.substr(at, info.find_first_of("\r\n", at) - at);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Hosted servers may forbid CONFIG: then `everysec`, the usual setting.
bool syncs_always(redis_connection& connection) {
  auto reply = connection.ask({"CONFIG", "GET", "appendfsync"});
  return reply && (*reply)->elements == 2
         && std::string_view{(*reply)->element[1]->str} == "always";
}

result<void> check_layout(redis_connection& connection) {
  auto marked = connection.ask({"HSETNX", redis_key::meta, "layout", layout});
  // A server out of memory still serves the jobs that it has.
  if (!marked && marked.error().code != errc::queue_full)
    return marked.error();
  auto found = connection.ask({"HGET", redis_key::meta, "layout"});
  if (!found)
    return found.error();
  const bool unmarked = !marked && (*found)->type == REDIS_REPLY_NIL;
  if (!unmarked && text_of(*found) != layout)
    return fail(errc::bad_config,
                "the Redis database holds jobs of another layout, "
                  + std::string{text_of(*found)});
  return {};
}

} // namespace

result<redis_facts> inspect_redis(redis_connection& connection) {
  auto reply = connection.ask({"INFO"});
  if (!reply)
    return reply.error();
  const auto info = text_of(*reply);
  const auto policy = field(info, "maxmemory_policy");
  if (policy != "noeviction")
    return fail(errc::bad_config, "Redis would drop jobs: maxmemory-policy is "
                                    + std::string{policy} + ", not noeviction");
  redis_facts facts;
  const auto version = field(info, "redis_version");
  facts.major_version =
    static_cast<int>(number(version.substr(0, version.find('.'))));
  if (field(info, "aof_enabled") == "1")
    facts.level =
      syncs_always(connection) ? durability::disk : durability::interval;
  if (auto fit = check_layout(connection); !fit)
    return fit.error();
  return facts;
}

result<redis_memory> ask_redis_memory(redis_connection& connection) {
  auto reply = connection.ask({"INFO", "memory"});
  if (!reply)
    return reply.error();
  const auto info = text_of(*reply);
  return redis_memory{.used = number(field(info, "used_memory")),
                      .limit = number(field(info, "maxmemory"))};
}

} // namespace troupe::store
