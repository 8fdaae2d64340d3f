#include "actors/store/redis_reply.hpp"

#include <hiredis/hiredis.h>

#include <charconv>

namespace troupe::store {

bool is_text(const redisReply& reply) noexcept {
  return reply.type == REDIS_REPLY_STRING;
}

std::string_view text_of(const redisReply& reply) noexcept {
  return is_text(reply) ? std::string_view{reply.str, reply.len}
                        : std::string_view{};
}

std::size_t size_of(const redisReply& reply) noexcept {
  return reply.type == REDIS_REPLY_ARRAY ? reply.elements : 0;
}

std::string_view text_at(const redisReply& reply, std::size_t at) noexcept {
  return at < size_of(reply) ? text_of(*reply.element[at]) : std::string_view{};
}

std::int64_t number_of(const redisReply& reply) noexcept {
  if (reply.type == REDIS_REPLY_INTEGER)
    return reply.integer;
  const auto text = text_of(reply);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::int64_t number_at(const redisReply& reply, std::size_t at) noexcept {
  return at < size_of(reply) ? number_of(*reply.element[at]) : 0;
}

} // namespace troupe::store
