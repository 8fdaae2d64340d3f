#include "actors/store/redis_connection.hpp"

#include "actors/store/errc.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>
#include <string>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace troupe::store {

namespace {

timeval to_timeval(std::int64_t ms) {
  return {.tv_sec = static_cast<time_t>(ms / 1000),
          .tv_usec = static_cast<suseconds_t>(ms % 1000 * 1000)};
}

redisContext* connect_to(const redis_address& address,
                         std::int64_t timeout_ms) {
  const auto timeout = to_timeval(timeout_ms);
  if (address.host.empty())
    return redisConnectUnixWithTimeout(address.socket.c_str(), timeout);
  return redisConnectWithTimeout(address.host.c_str(), address.port, timeout);
}

} // namespace

void free_redis_context::operator()(redisContext* it) const noexcept {
  redisFree(it);
}

void free_redis_reply::operator()(redisReply* it) const noexcept {
  freeReplyObject(it);
}

redis_connection::redis_connection(redis_address address,
                                   std::int64_t timeout_ms)
  : address_{std::move(address)}, timeout_ms_{timeout_ms} {
  // nop
}

result<void> redis_connection::connect() {
  context_.reset(connect_to(address_, timeout_ms_));
  if (!context_ || context_->err != 0)
    return lost();
  if (auto set = set_timeout(timeout_ms_); !set)
    return set;
  // A peer that vanished acknowledges nothing.
  const auto patience = static_cast<unsigned>(timeout_ms_);
  if (!address_.host.empty())
    ::setsockopt(context_->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience,
                 sizeof patience);
  // Programs that we start must not inherit it.
  ::fcntl(context_->fd, F_SETFD, FD_CLOEXEC);
  return {};
}

result<void> redis_connection::open() {
  if (auto made = connect(); !made)
    return made;
  auto known = introduce();
  if (!known)
    close();
  return known;
}

void redis_connection::close() noexcept {
  context_.reset();
}

void redis_connection::aim_at(redis_endpoint where) {
  address_.host = std::move(where.host);
  address_.port = where.port;
}

result<void> redis_connection::set_timeout(std::int64_t ms) {
  if (redisSetTimeout(context_.get(), to_timeval(ms)) != REDIS_OK)
    return lost();
  return {};
}

result<void> redis_connection::introduce() {
  redis_args auth{"AUTH"};
  if (!address_.user.empty())
    auth.push_back(address_.user);
  auth.push_back(address_.password);
  const auto database = std::to_string(address_.database);
  std::vector<redis_args> commands;
  if (!address_.password.empty())
    commands.push_back(auth);
  commands.push_back({"SELECT", database});
  auto replies = run(commands);
  if (!replies)
    return replies.error();
  for (const auto& reply : *replies) {
    if (reply->type != REDIS_REPLY_ERROR)
      continue;
    auto why = sort_redis_error({reply->str, reply->len});
    // A password or database that is wrong now will be wrong later.
    if (why.code != errc::unavailable || why.detail.starts_with("NOAUTH"))
      why.code = make_error_code(errc::bad_config);
    return why;
  }
  return {};
}

result<std::vector<redis_reply_ptr>>
redis_connection::run(std::span<const redis_args> commands) {
  for (const auto& command : commands)
    send(command);
  std::vector<redis_reply_ptr> replies;
  replies.reserve(commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    auto reply = receive();
    if (!reply)
      return reply.error();
    replies.push_back(std::move(*reply));
  }
  return replies;
}

result<redis_reply_ptr> redis_connection::ask(const redis_args& command) {
  send(command);
  auto reply = receive();
  if (reply && (*reply)->type == REDIS_REPLY_ERROR)
    return sort_redis_error({(*reply)->str, (*reply)->len});
  return reply;
}

void redis_connection::send(const redis_args& command) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  texts.reserve(command.size());
  sizes.reserve(command.size());
  for (const auto& arg : command) {
    // An empty view may have no address; hiredis copies from it anyway.
    texts.push_back(arg.empty() ? "" : arg.data());
    sizes.push_back(arg.size());
  }
  // Fails for want of memory only, and then `receive` fails too.
  redisAppendCommandArgv(context_.get(), static_cast<int>(texts.size()),
                         texts.data(), sizes.data());
}

result<redis_reply_ptr> redis_connection::receive() {
  void* reply = nullptr;
  if (redisGetReply(context_.get(), &reply) != REDIS_OK || reply == nullptr)
    return lost();
  return redis_reply_ptr{static_cast<redisReply*>(reply)};
}

failure redis_connection::lost() {
  std::string words = context_ ? context_->errstr : "out of memory";
  close();
  return fail(errc::unavailable,
              "redis at " + place_of(address_) + ": " + words);
}

failure sort_redis_error(std::string_view reply) {
  static constexpr std::array passing{"LOADING",  "READONLY",    "MISCONF",
                                      "NOAUTH",   "BUSY",        "MASTERDOWN",
                                      "TRYAGAIN", "CLUSTERDOWN", "NOSCRIPT",
                                      "NOPERM",   "UNKILLABLE",  "NOREPLICAS"};
  // A script's own failure wraps the command's words.
  auto begins = [&](std::string_view word) {
    return reply.starts_with(word)
           || (reply.starts_with("ERR Error running script")
               && reply.find("-" + std::string{word}) != reply.npos);
  };
  std::string words{reply};
  if (begins("OOM"))
    return fail(errc::queue_full, std::move(words));
  if (std::ranges::any_of(passing, begins))
    return fail(errc::unavailable, std::move(words));
  return fail(errc::corrupt, std::move(words));
}

} // namespace troupe::store
