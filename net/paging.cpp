#include "net/paging.hpp"

#include "net/query.hpp"

#include <charconv>

namespace troupe::net {

namespace {

constexpr std::string_view digits = "0123456789abcdef";
constexpr std::size_t sum_chars = 8;
constexpr std::size_t max_token = 1024;

void append_hex(std::string& out, unsigned char byte) {
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

/// FNV-1a; guards against mix-ups, not against forgery.
std::uint32_t sum_of(std::string_view list, std::string_view key) {
  std::uint32_t hash = 0x811c9dc5;
  for (const auto text : {list, std::string_view{"\n"}, key})
    for (const unsigned char c : text)
      hash = (hash ^ c) * 0x01000193;
  return hash;
}

std::optional<std::string> key_of(std::string_view token) {
  std::string key;
  for (; token.size() >= 2; token.remove_prefix(2)) {
    unsigned byte = 0;
    const auto* end = token.data() + 2;
    if (std::from_chars(token.data(), end, byte, 16).ptr != end)
      return std::nullopt;
    key += static_cast<char>(byte);
  }
  return token.empty() ? std::optional{key} : std::nullopt;
}

/// False for what `page_token_of` has not made for this list.
bool read_token(std::string_view token, std::string_view list,
                std::string& out) {
  if (token.empty())
    return true;
  if (token.size() <= sum_chars || token.size() > max_token)
    return false;
  auto key = key_of(token.substr(sum_chars));
  if (!key || page_token_of(list, *key) != token)
    return false;
  out = std::move(*key);
  return true;
}

} // namespace

std::string page_token_of(std::string_view list, std::string_view key) {
  const auto sum = sum_of(list, key);
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8)
    append_hex(out, static_cast<unsigned char>(sum >> shift & 0xFF));
  for (const char c : key)
    append_hex(out, static_cast<unsigned char>(c));
  return out;
}

std::optional<problem> read_page(const target& where, std::string_view list,
                                 page_request& out) {
  std::string token;
  const auto read = [&](std::string_view name, const std::string& value) {
    if (name == "page_size")
      return read_page_size(value, out.size);
    if (name != "page_token")
      return std::string{unknown_parameter};
    token = value;
    return std::string{};
  };
  if (auto fault = read_parameters(where, read))
    return fault;
  if (!read_token(token, list, out.after))
    return problem{problem_code::invalid_page_token,
                   "page_token is not one of this list"};
  return std::nullopt;
}

} // namespace troupe::net
