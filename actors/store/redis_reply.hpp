#pragma once

#include "actors/store/redis_connection.hpp"

#include <cstdint>
#include <string_view>

/// What replies hold. Nothing here fails: what is not there is empty.
namespace troupe::store {

/// A bulk string, else empty.
[[nodiscard]] std::string_view text_of(const redisReply& reply) noexcept;
/// @return false for a nil, an error and everything else without a text
[[nodiscard]] bool is_text(const redisReply& reply) noexcept;
/// @return 0 for what is no array
[[nodiscard]] std::size_t size_of(const redisReply& reply) noexcept;
[[nodiscard]] std::string_view text_at(const redisReply& reply,
                                       std::size_t at) noexcept;
/// The number that a reply is, or that its text is; also a score.
[[nodiscard]] std::int64_t number_of(const redisReply& reply) noexcept;
/// @return 0 for what is not there
[[nodiscard]] std::int64_t number_at(const redisReply& reply,
                                     std::size_t at) noexcept;

} // namespace troupe::store
