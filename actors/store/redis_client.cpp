#include "actors/store/redis_client.hpp"

#include "actors/store/errc.hpp"
#include "actors/store/redis_info.hpp"
#include "actors/store/redis_keys.hpp"
#include "actors/store/redis_lua.hpp"
#include "actors/store/redis_reply.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>

namespace troupe::store {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_pause = 1000ms;
/// Sentinels are near, or asked in vain.
constexpr std::int64_t sentinel_ms = 200;
constexpr auto master_check_interval = 1000ms;
/// Asks at most so long whether a replica has what was written.
constexpr std::string_view short_wait_ms = "20";

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
  : connection_{std::move(address), timeout_ms}, timeout_ms_{timeout_ms} {
  // nop
}

/// Behind Sentinels, the server is wherever they say.
result<void> redis_client::find_server() {
  const auto& address = connection_.address();
  if (address.sentinels.empty())
    return {};
  auto master =
    find_master(address, std::min<std::int64_t>(timeout_ms_, sentinel_ms));
  if (!master)
    return master.error();
  connection_.aim_at(std::move(*master));
  master_checked_ = clock::now();
  return {};
}

result<void> redis_client::try_open() {
  if (auto found = find_server(); !found)
    return found;
  if (auto opened = connection_.open(); !opened)
    return opened;
  // Who waits for a server that does not answer cannot do anything else.
  if (auto set = connection_.set_timeout(timeout_ms_ / 2); !set)
    return set;
  auto facts = inspect_redis(connection_);
  // What this user may not do now it may not do later.
  if (!facts && facts.error().detail.starts_with("NOPERM"))
    return fail(errc::bad_config, facts.error().detail);
  if (!facts)
    return facts.error();
  facts_ = *facts;
  if (auto loaded = load_scripts(); !loaded)
    return loaded;
  return connection_.set_timeout(timeout_ms_);
}

result<void> redis_client::open() {
  auto opened = try_open();
  if (!opened) {
    connection_.close();
    pause_ = std::clamp(2 * pause_, 20ms, longest_pause);
    // Jitter: servers that lost the same Redis do not come back as one.
    std::uniform_real_distribution<double> spread{0.5, 1};
    next_try_ =
      clock::now()
      + std::chrono::duration_cast<clock::duration>(pause_ * spread(random_));
    return opened;
  }
  pause_ = 0ms;
  return {};
}

result<void> redis_client::ensure_open() {
  if (connection_.is_open())
    return check_master();
  if (clock::now() < next_try_)
    return fail(errc::unavailable, "redis at " + place_of(connection_.address())
                                     + ": the connection is lost");
  auto opened = open();
  // A server that became unfit meanwhile may become fit again.
  if (!opened)
    return fail(errc::unavailable, opened.error().message());
  return opened;
}

/// An old master that is cut off from its Sentinels still takes what will be
/// thrown away: it is left as soon as they know of another.
result<void> redis_client::check_master() {
  const auto& address = connection_.address();
  if (address.sentinels.empty()
      || clock::now() - master_checked_ < master_check_interval)
    return {};
  master_checked_ = clock::now();
  const auto master =
    find_master(address, std::min<std::int64_t>(timeout_ms_, sentinel_ms));
  if (!master || (master->host == address.host && master->port == address.port))
    return {};
  connection_.close();
  return fail(errc::unavailable, "redis: there is another master now");
}

/// What a server in these states says is not final, but it may be the wrong
/// one: it is looked for again.
failure redis_client::judge(const redisReply& reply) {
  const std::string_view words{reply.str, reply.len};
  static constexpr std::array leaving{"READONLY", "LOADING", "MASTERDOWN",
                                      "NOAUTH"};
  auto why = sort_redis_error(words);
  if (why.code == errc::unavailable
      && std::ranges::any_of(leaving, [&](std::string_view word) {
           return words.find(word) != words.npos;
         }))
    connection_.close();
  return why;
}

durability redis_client::best() const noexcept {
  if (facts_.replicas > 0)
    return durability::replica;
  return facts_.waits_for_disk ? durability::disk : facts_.level;
}

durability redis_client::secure(durability asked) {
  if (asked <= facts_.level || !connection_.is_open())
    return facts_.level;
  const auto limit = std::to_string(timeout_ms_ / 2);
  if (asked == durability::disk && facts_.waits_for_disk) {
    const auto reply = connection_.ask({"WAITAOF", "1", "0", limit});
    if (reply && number_at(**reply, 0) >= 1)
      return durability::disk;
  }
  if (asked == durability::replica && facts_.replicas > 0) {
    const auto reply = connection_.ask({"WAIT", "1", limit});
    if (reply && number_of(**reply) >= 1)
      return durability::replica;
  }
  return facts_.level;
}

/// WAIT knows of what its own connection wrote, which may be a new one: another
/// write makes that all that was written until now.
bool redis_client::is_copied() {
  const std::vector<redis_args> commands{
    {"HSET", name_of(redis_key::meta), "synced", "1"},
    {"WAIT", "1", short_wait_ms}};
  const auto replies = connection_.run(commands);
  return replies && replies->front()->type != REDIS_REPLY_ERROR
         && number_of(*replies->back()) >= 1;
}

result<bool> redis_client::synced(sync_watch& watch) {
  if (auto ready = ensure_open(); !ready)
    return ready.error();
  const auto reply = connection_.ask({"INFO"});
  if (!reply)
    return reply.error();
  const auto seen = read_log_facts(text_of(**reply));
  facts_.replicas = replicas_in(text_of(**reply));
  if (watch.life.empty())
    watch.life = facts_.life;
  if (seen.life != watch.life) {
    connection_.close();
    return fail(errc::unavailable, "redis: there is another server now");
  }
  if (facts_.level == durability::interval && seen.has_log
      && !look_again(watch, seen))
    return false;
  return facts_.replicas == 0 || is_copied();
}

result<void> redis_client::load_scripts() {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < redis_script_count; ++i)
    texts.push_back(
      text_of(static_cast<redis_script>(i), facts_.major_version >= 7));
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
  const auto begun = clock::now();
  auto replies = connection_.run(commands);
  if (!replies)
    return replies;
  read_took_ = clock::now() - begun;
  for (const auto& reply : *replies)
    if (reply->type == REDIS_REPLY_ERROR && !is_error(reply, "OOM"))
      return judge(*reply);
  return replies;
}

result<redis_reply_ptr> redis_client::eval(redis_script which,
                                           const redis_args& args,
                                           std::size_t jobs) {
  static const auto key_count = std::to_string(redis_key_count);
  if (auto ready = ensure_open(); !ready)
    return ready.error();
  const auto& sha = shas_[static_cast<std::size_t>(which)];
  redis_args command{"EVALSHA", sha, key_count};
  command.reserve(3 + redis_key_count + args.size());
  command.insert(command.end(), redis_keys.begin(), redis_keys.end());
  command.insert(command.end(), args.begin(), args.end());
  for (const auto& arg : args)
    written_ += arg.size();
  const auto begun = clock::now();
  auto replies = connection_.run({&command, 1});
  if (replies && jobs > 0)
    pace_.took(jobs, read_took_, clock::now() - begun);
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
    return judge(*reply);
  return std::move(reply);
}

result<redis_reply_ptr> redis_client::ask(const redis_args& args) {
  auto replies = run({&args, 1});
  if (!replies)
    return replies.error();
  auto& reply = replies->front();
  if (reply->type == REDIS_REPLY_ERROR)
    return judge(*reply);
  return std::move(reply);
}

result<redis_memory> redis_client::memory() {
  if (auto ready = ensure_open(); !ready)
    return ready.error();
  auto known = look_at_redis(connection_, facts_);
  if (!known && known.error().code == errc::bad_config) {
    connection_.close();
    return fail(errc::unavailable, known.error().detail);
  }
  return known;
}

} // namespace troupe::store
