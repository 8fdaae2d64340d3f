#include "actors/store/redis_client.hpp"

#include "actors/store/errc.hpp"
#include "actors/store/redis_info.hpp"
#include "actors/store/redis_lua.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>

namespace troupe::store {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_pause = 1000ms;

/// In the order of `KEYS` in lua/job.lua.
constexpr std::array<std::string_view, 21> keys{
  redis_key::jobs,      "{troupe}:ready",   "{troupe}:heads",
  "{troupe}:schedule",  redis_key::leases,  "{troupe}:finished",
  "{troupe}:unique",    "{troupe}:batches", "{troupe}:answers",
  "{troupe}:forget",    redis_key::meta,    "{troupe}:depth",
  "{troupe}:scheduled", "{troupe}:blocked", "{troupe}:queued",
  "{troupe}:running",   "{troupe}:paused",  "{troupe}:cancelling",
  "{troupe}:succeeded", "{troupe}:failed",  "{troupe}:cancelled"};

constexpr std::array<const std::string_view*, redis_script_count> bodies{
  &lua::submit,  &lua::checkpoint, &lua::commit, &lua::succeed, &lua::fail,
  &lua::release, &lua::cancel,     &lua::retry,  &lua::purge,   &lua::claim,
  &lua::promote, &lua::renew,      &lua::expire, &lua::adopt,   &lua::trim,
  &lua::list,    &lua::depths};

/// A submit is refused when the server is short of memory; everything else
/// lets jobs end, which frees some.
std::string text_of(std::size_t script, bool has_flags) {
  std::string text;
  if (has_flags)
    text = script == static_cast<std::size_t>(redis_script::submit)
             ? "#!lua\n"
             : "#!lua flags=allow-oom\n";
  text += lua::job;
  text += lua::indexes;
  text += *bodies[script];
  return text;
}

bool is_error(const redis_reply_ptr& reply, std::string_view word) {
  return reply->type == REDIS_REPLY_ERROR
         && std::string_view{reply->str, reply->len}.starts_with(word);
}

} // namespace

redis_client::redis_client(redis_address address, std::int64_t timeout_ms)
  : connection_{std::move(address), timeout_ms} {
  // nop
}

result<void> redis_client::open() {
  auto opened = connection_.open();
  if (opened)
    opened = inspect();
  if (opened)
    opened = load_scripts();
  if (!opened) {
    connection_.close();
    pause_ = std::clamp(2 * pause_, 20ms, longest_pause);
    next_try_ = clock::now() + pause_;
    return opened;
  }
  pause_ = 0ms;
  return {};
}

result<void> redis_client::ensure_open() {
  if (connection_.is_open())
    return {};
  if (clock::now() < next_try_)
    return fail(errc::unavailable, "redis: the connection is lost");
  auto opened = open();
  // A server that became unfit meanwhile may become fit again.
  if (!opened)
    return fail(errc::unavailable, opened.error().message());
  return opened;
}

result<void> redis_client::inspect() {
  auto facts = inspect_redis(connection_);
  if (!facts)
    return facts.error();
  has_flags_ = facts->major_version >= 7;
  level_ = facts->level;
  return {};
}

result<void> redis_client::load_scripts() {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < redis_script_count; ++i)
    texts.push_back(text_of(i, has_flags_));
  std::vector<redis_args> commands;
  for (const auto& text : texts)
    commands.push_back({"SCRIPT", "LOAD", text});
  auto replies = connection_.run(commands);
  if (!replies)
    return replies.error();
  for (std::size_t i = 0; i < redis_script_count; ++i) {
    const auto& reply = (*replies)[i];
    if (reply->type != REDIS_REPLY_STRING)
      return sort_redis_error({reply->str, reply->len});
    shas_[i].assign(reply->str, reply->len);
  }
  return {};
}

redis_args redis_client::evalsha(const script_call& call,
                                 std::span<const std::string> settings) const {
  static const auto key_count = std::to_string(keys.size());
  redis_args args{"EVALSHA", shas_[static_cast<std::size_t>(call.which())],
                  key_count};
  args.reserve(3 + keys.size() + settings.size() + call.args().size());
  args.insert(args.end(), keys.begin(), keys.end());
  args.insert(args.end(), settings.begin(), settings.end());
  args.insert(args.end(), call.args().begin(), call.args().end());
  return args;
}

result<std::vector<redis_reply_ptr>>
redis_client::run(std::span<const script_call> calls,
                  const script_settings& settings) {
  if (auto ready = ensure_open(); !ready)
    return ready.error();
  const std::array texts{
    std::to_string(settings.clock_offset_ms),
    std::to_string(settings.ageing_ms), std::to_string(settings.max_queued),
    std::to_string(settings.lease_ms), std::to_string(settings.given_lease_ms)};
  std::vector<redis_args> commands;
  commands.reserve(calls.size());
  for (const auto& call : calls)
    commands.push_back(evalsha(call, texts));
  auto replies = connection_.run(commands);
  if (!replies)
    return replies;
  if (auto sent = resend(commands, *replies); !sent)
    return sent.error();
  for (const auto& reply : *replies)
    if (reply->type == REDIS_REPLY_ERROR && !is_error(reply, "OOM"))
      return sort_redis_error({reply->str, reply->len});
  return replies;
}

/// Only what has not run: a claim that ran must not run twice.
result<void> redis_client::resend(std::span<const redis_args> commands,
                                  std::vector<redis_reply_ptr>& replies) {
  std::vector<std::size_t> missed;
  for (std::size_t i = 0; i < replies.size(); ++i)
    if (is_error(replies[i], "NOSCRIPT"))
      missed.push_back(i);
  if (missed.empty())
    return {};
  if (auto loaded = load_scripts(); !loaded)
    return loaded;
  // The texts of the hashes are the same, so the commands are still right.
  std::vector<redis_args> left;
  for (const auto i : missed)
    left.push_back(commands[i]);
  auto again = connection_.run(left);
  if (!again)
    return again.error();
  for (std::size_t i = 0; i < missed.size(); ++i)
    replies[missed[i]] = std::move((*again)[i]);
  return {};
}

result<redis_reply_ptr> redis_client::ask(const redis_args& args) {
  if (auto ready = ensure_open(); !ready)
    return ready.error();
  return connection_.ask(args);
}

result<redis_memory> redis_client::memory() {
  if (auto ready = ensure_open(); !ready)
    return ready.error();
  return ask_redis_memory(connection_);
}

} // namespace troupe::store
