#include "actors/store/redis_client.hpp"

#include "actors/store/errc.hpp"
#include "actors/store/redis_info.hpp"
#include "actors/store/redis_keys.hpp"
#include "actors/store/redis_lua.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>

namespace troupe::store {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_pause = 1000ms;

std::string text_of(redis_script script, bool has_flags) {
  std::string text;
  if (has_flags)
    text = script == redis_script::apply_if_room ? "#!lua\n"
                                                 : "#!lua flags=allow-oom\n";
  return text += lua::apply;
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
    texts.push_back(text_of(static_cast<redis_script>(i), has_flags_));
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

result<std::vector<redis_reply_ptr>>
redis_client::run(std::span<const redis_args> commands) {
  if (auto ready = ensure_open(); !ready)
    return ready.error();
  auto replies = connection_.run(commands);
  if (!replies)
    return replies;
  for (const auto& reply : *replies)
    if (reply->type == REDIS_REPLY_ERROR && !is_error(reply, "OOM"))
      return sort_redis_error({reply->str, reply->len});
  return replies;
}

result<redis_reply_ptr> redis_client::eval(redis_script which,
                                           const redis_args& args) {
  static const auto key_count = std::to_string(redis_key_count);
  if (auto ready = ensure_open(); !ready)
    return ready.error();
  const auto& sha = shas_[static_cast<std::size_t>(which)];
  redis_args command{"EVALSHA", sha, key_count};
  command.reserve(3 + redis_key_count + args.size());
  command.insert(command.end(), redis_keys.begin(), redis_keys.end());
  command.insert(command.end(), args.begin(), args.end());
  auto replies = connection_.run({&command, 1});
  if (replies && is_error(replies->front(), "NOSCRIPT")) {
    if (auto loaded = load_scripts(); !loaded)
      return loaded.error();
    command[1] = sha;
    replies = connection_.run({&command, 1});
  }
  if (!replies)
    return replies.error();
  auto& reply = replies->front();
  if (reply->type == REDIS_REPLY_ERROR)
    return sort_redis_error({reply->str, reply->len});
  return std::move(reply);
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
