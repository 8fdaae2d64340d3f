#pragma once

#include "net/problem.hpp"

#include <simdjson.h>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace troupe::net {

/// What is wrong with a document: of each place what was said first. More than
/// anybody reads is not kept.
class field_errors {
public:
  static constexpr std::size_t most = 10'000;
  /// Bytes of their pointers, each of which names all that it lies in.
  static constexpr std::size_t most_bytes = 1u << 20;

  void add(std::string pointer, std::string detail, std::string code = {});

  [[nodiscard]] bool empty() const noexcept {
    return errors_.empty();
  }
  /// True if nothing more is kept, so that nobody need look for it.
  [[nodiscard]] bool full() const noexcept {
    return errors_.size() == most || bytes_ >= most_bytes;
  }
  [[nodiscard]] std::vector<field_error> take() noexcept {
    places_.clear();
    return std::move(errors_);
  }

private:
  std::vector<field_error> errors_;
  std::unordered_set<std::string> places_; ///< those of `errors_`
  std::size_t bytes_ = 0;
};

/// Where a value stands. Its pointer names all that it lies in, be it long: it
/// is made of those places alone that are told of.
struct json_place {
  const json_place* around = nullptr;
  std::string_view name; ///< of the member; a pointer if nothing is around
  std::size_t index = 0; ///< of the entry, if it is one of an array
  bool is_entry = false;

  /// @pre `around` lives as long
  [[nodiscard]] json_place member(std::string_view called) const noexcept {
    return {this, called};
  }
  [[nodiscard]] json_place entry(std::size_t at) const noexcept {
    return {this, {}, at, true};
  }
  [[nodiscard]] std::string pointer() const;
};

/// Deepest nesting of arrays and objects that is read.
inline constexpr std::size_t max_depth = 64;

/// Parses RFC 8259 JSON with simdjson, and says what is wrong if it is not.
/// Reuses its memory; a parsed document lives until the next call.
class json_parser {
public:
  json_parser();
  /// `invalid_json`, with why; `invalid_params` for JSON that nests too deep,
  /// or holds a number that fits neither 64 bits nor a double.
  [[nodiscard]] std::optional<problem> parse(std::string_view text,
                                             simdjson::dom::element& out);

private:
  void make_room(std::size_t bytes);

  simdjson::dom::parser parser_;
};

/// Reads an object member by member and notes everything that is wrong with
/// it. `null` counts as absent. What is absent or wrong leaves the variable as
/// it was.
class object_reader {
public:
  /// Notes names that stand twice.
  object_reader(simdjson::dom::object object, std::string pointer,
                field_errors& errors);

  /// The raw value; nothing if absent. `require` notes its absence.
  std::optional<simdjson::dom::element> value(std::string_view name);
  std::optional<simdjson::dom::element> require(std::string_view name);

  /// @param max_bytes the longest text taken; at least one byte is asked for,
  /// and no control characters.
  bool text(std::string_view name, std::string& out, std::size_t max_bytes);
  bool number(std::string_view name, double& out, double min, double max);
  /// As JSON Schema has it: 5.0 is an integer.
  bool integer(std::string_view name, std::int64_t& out, std::int64_t min,
               std::int64_t max);
  bool boolean(std::string_view name, bool& out);
  /// An array of texts, each of at most `max_bytes`.
  bool texts(std::string_view name, std::vector<std::string>& out,
             std::size_t max_count, std::size_t max_bytes);
  /// True for a member that is there, though it may be `null`.
  [[nodiscard]] bool has(std::string_view name) const noexcept;
  /// An object within.
  std::optional<simdjson::dom::object> object(std::string_view name);

  /// Notes an error of that member.
  void wrong(std::string_view name, std::string detail, std::string code = {});
  [[nodiscard]] std::string pointer(std::string_view name) const;

  /// Notes every member that nobody has asked for.
  void finish();

private:
  struct member {
    std::string_view name;
    simdjson::dom::element value;
    bool asked = false;
  };
  void note_duplicates();

  std::vector<member> members_;
  std::string pointer_;
  field_errors& errors_;
};

/// Notes every object, however deep, in which a name stands twice.
void note_duplicates(simdjson::dom::element value, const std::string& pointer,
                     field_errors& errors);

} // namespace troupe::net
