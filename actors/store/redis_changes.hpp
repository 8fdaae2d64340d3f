#pragma once

#include "actors/store/redis_connection.hpp"
#include "actors/store/redis_keys.hpp"

#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::store {

/// What one run of lua/apply.lua checks and writes: per key one command that
/// frees and one that adds, all that frees first, so that a server short of
/// memory still lets jobs end.
class redis_changes {
public:
  /// The field of a hash must begin with `begin`; empty: must not exist.
  void expect(redis_key key, std::string_view field, std::string_view begin);
  /// Members of a sorted set or fields of a hash. Removed comes before added.
  void remove(redis_key key, std::string member);
  void add(redis_key key, std::string member, std::int64_t score = 0);
  void set(redis_key key, std::string field, std::string value);
  /// Adds to a number in a hash; 0 makes a field of `depth`.
  void count(redis_key key, const std::string& field, std::int64_t by);
  /// The first job of this lane may change.
  void touch(std::string lane);
  /// More or fewer jobs of a queue or key (`flow_name_of_…`) run. A slot that
  /// returns lets go the lanes that are parked for it; so does a change by 0.
  void run(const std::string& name, std::int32_t by);
  /// Nothing is written if more than `most` of it would run then.
  void bound(const std::string& name, std::uint32_t most);
  /// Parks a lane of this key, if `least` of it or more run then.
  void park(std::string_view lane, std::string_view name, std::uint32_t least);

  [[nodiscard]] bool empty() const noexcept {
    return empty_;
  }

  /// The script's arguments, referring to this object and to `version`. Once.
  [[nodiscard]] redis_args args(std::string_view version);

private:
  using words = std::vector<std::string>;

  struct run_change {
    std::int32_t by = 0;
    std::uint32_t most = 0; ///< 0: any number
  };

  void append(redis_args& out, std::string_view verb, redis_key key,
              const words& some);
  void pack_runs();
  std::string_view digits(std::size_t number);

  bool empty_ = true;
  std::string checks_, packed_runs_, parks_;
  std::map<std::string, run_change> runs_;
  std::array<words, redis_key_count> removed_, added_;
  std::array<std::map<std::string, std::int64_t>, redis_key_count> counts_;
  std::set<std::string> lanes_;
  std::map<std::size_t, std::string> digits_; ///< its texts never move
  std::deque<words> counters_;
};

} // namespace troupe::store
