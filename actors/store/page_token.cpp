#include "actors/store/page_token.hpp"

#include <algorithm>
#include <limits>
#include <string_view>

namespace troupe::store {

namespace {

constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";
constexpr std::size_t number_chars = 13; // 64 bits by five

/// FNV-1a; guards against mix-ups, not against forgery.
class fingerprint {
public:
  void add(std::string_view text) {
    for (const unsigned char c : text)
      mix(c);
    mix(0x1ff); // no byte: ends the text
  }

  [[nodiscard]] std::uint64_t value() const noexcept {
    return hash_;
  }

private:
  void mix(std::uint64_t unit) {
    hash_ = (hash_ ^ unit) * 0x100000001b3;
  }

  std::uint64_t hash_ = 0xcbf29ce484222325;
};

std::uint64_t hash_of(const list_query& query, std::uint64_t below) {
  fingerprint print;
  print.add(query.state ? to_string(*query.state) : "");
  for (const auto* text :
       {&query.type, &query.queue, &query.tag, &query.batch, &query.owner})
    print.add(*text);
  print.add(std::to_string(below));
  return print.value();
}

void append_number(std::string& text, std::uint64_t number) {
  for (std::size_t i = number_chars; i-- > 0;)
    text += digits[(number >> (5 * i)) & 31];
}

bool read_number(std::string_view text, std::uint64_t& number) {
  number = 0;
  for (const char c : text) {
    const auto at = digits.find(c);
    if (at == digits.npos || number >> 59 != 0)
      return false;
    number = number << 5 | at;
  }
  return true;
}

} // namespace

std::string make_page_token(const list_query& query, std::uint64_t below) {
  std::string text;
  append_number(text, below);
  append_number(text, hash_of(query, below));
  return text;
}

result<std::uint64_t> read_page_token(const list_query& query) {
  if (query.page_token.empty())
    return std::numeric_limits<std::uint64_t>::max();
  const std::string_view text = query.page_token;
  std::uint64_t below = 0;
  std::uint64_t hash = 0;
  if (text.size() != 2 * number_chars
      || !read_number(text.substr(0, number_chars), below)
      || !read_number(text.substr(number_chars), hash)
      || hash != hash_of(query, below))
    return fail(errc::bad_page_token);
  return below;
}

bool must_scan(const list_query& query) {
  return !query.type.empty() || !query.queue.empty() || !query.tag.empty()
         || !query.owner.empty();
}

bool matches(const job& it, const list_query& query) {
  const auto fits = [](const std::string& wanted, const std::string& is) {
    return wanted.empty() || wanted == is;
  };
  return (!query.state || *query.state == it.state) && fits(query.type, it.type)
         && fits(query.queue, it.queue) && fits(query.batch, it.batch)
         && fits(query.owner, it.owner)
         && (query.tag.empty()
             || std::ranges::find(it.tags, query.tag) != it.tags.end());
}

} // namespace troupe::store
