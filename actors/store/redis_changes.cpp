#include "actors/store/redis_changes.hpp"

#include <algorithm>
#include <cstdint>

namespace troupe::store {

namespace {

template <class T>
void append_number(std::string& bytes, T number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append_sized(std::string& bytes, std::string_view text) {
  append_number(bytes, static_cast<std::uint32_t>(text.size()));
  bytes.append(text);
}

/// Lua unpacks not many more into one call. Even, since they may be pairs.
constexpr std::size_t most_words = 4000;

constexpr std::size_t index_of(redis_key key) {
  return static_cast<std::size_t>(key);
}

} // namespace

void redis_changes::expect(redis_key key, std::string_view field,
                           std::string_view begin) {
  checks_ += static_cast<char>(1 + index_of(key));
  append_sized(checks_, field);
  append_sized(checks_, begin);
}

void redis_changes::remove(redis_key key, std::string member) {
  removed_[index_of(key)].push_back(std::move(member));
  empty_ = false;
}

void redis_changes::add(redis_key key, std::string member, std::int64_t score) {
  auto& list = added_[index_of(key)];
  list.push_back(std::to_string(score));
  list.push_back(std::move(member));
  empty_ = false;
}

void redis_changes::set(redis_key key, std::string field, std::string value) {
  auto& list = added_[index_of(key)];
  list.push_back(std::move(field));
  list.push_back(std::move(value));
  empty_ = false;
}

void redis_changes::count(redis_key key, const std::string& field,
                          std::int64_t by) {
  counts_[index_of(key)][field] += by;
}

void redis_changes::touch(std::string lane) {
  lanes_.insert(std::move(lane));
}

void redis_changes::run(const std::string& name, std::int32_t by) {
  runs_[name].by += by;
  empty_ = false;
}

void redis_changes::bound(const std::string& name, std::uint32_t most) {
  runs_[name].most = most;
}

void redis_changes::park(std::string_view lane, std::string_view name,
                         std::uint32_t least) {
  append_number(parks_, least);
  append_sized(parks_, name);
  append_sized(parks_, lane);
  empty_ = false;
}

void redis_changes::pack_runs() {
  for (const auto& [name, change] : runs_) {
    append_number(packed_runs_, change.by);
    append_number(packed_runs_, change.most);
    append_sized(packed_runs_, name);
  }
}

std::string_view redis_changes::digits(std::size_t number) {
  auto& text = digits_[number];
  if (text.empty())
    text = std::to_string(number);
  return text;
}

void redis_changes::append(redis_args& out, std::string_view verb,
                           redis_key key, const words& some) {
  for (std::size_t at = 0; at < some.size(); at += most_words) {
    const auto count = std::min(some.size() - at, most_words);
    const auto first = some.begin() + static_cast<std::ptrdiff_t>(at);
    out.push_back(verb);
    out.push_back(digits(1 + index_of(key)));
    out.push_back(digits(count));
    out.insert(out.end(), first, first + static_cast<std::ptrdiff_t>(count));
  }
}

redis_args redis_changes::args(std::string_view version) {
  pack_runs();
  redis_args out{version, checks_, packed_runs_, parks_, digits(lanes_.size())};
  out.insert(out.end(), lanes_.begin(), lanes_.end());
  for (std::size_t i = 0; i < redis_key_count; ++i) {
    const auto key = static_cast<redis_key>(i);
    append(out, is_hash(key) ? "HDEL" : "ZREM", key, removed_[i]);
  }
  for (std::size_t i = 0; i < redis_key_count; ++i) {
    const auto key = static_cast<redis_key>(i);
    append(out, is_hash(key) ? "HSET" : "ZADD", key, added_[i]);
  }
  for (std::size_t i = 0; i < redis_key_count; ++i)
    for (const auto& [field, by] : counts_[i])
      if (by != 0 || i == index_of(redis_key::depth))
        append(out, "HINCRBY", static_cast<redis_key>(i),
               counters_.emplace_back(words{field, std::to_string(by)}));
  return out;
}

} // namespace troupe::store
