#include "net/json_limits.hpp"

#include "net/json_reader.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace troupe::net {

namespace {

namespace bj = boost::json;
using bj::string_view;
using boost::system::error_code;

/// Hears what a document holds, in its order, and notes numbers that are too
/// large. Invariant: `open_` are the arrays and objects around the present
/// place, each with the name or number of the member that is being read.
class number_listener {
public:
  static constexpr std::size_t max_object_size = -1;
  static constexpr std::size_t max_array_size = -1;
  static constexpr std::size_t max_key_size = -1;
  static constexpr std::size_t max_string_size = -1;

  bool on_document_begin(error_code&) {
    return true;
  }
  bool on_document_end(error_code&) {
    return true;
  }
  bool on_object_begin(error_code&) {
    open_.push_back({false, 0, {}});
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    return close();
  }
  bool on_array_begin(error_code&) {
    open_.push_back({true, 0, {}});
    return true;
  }
  bool on_array_end(std::size_t, error_code&) {
    return close();
  }
  bool on_key_part(string_view part, std::size_t, error_code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(string_view rest, std::size_t, error_code&) {
    key_.append(rest.data(), rest.size());
    open_.back().name = std::exchange(key_, {});
    return true;
  }
  bool on_string_part(string_view, std::size_t, error_code&) {
    return true;
  }
  bool on_string(string_view, std::size_t, error_code&) {
    return step();
  }
  bool on_number_part(string_view, error_code&) {
    return true;
  }
  bool on_int64(std::int64_t, string_view, error_code&) {
    return step();
  }
  bool on_uint64(std::uint64_t, string_view, error_code&) {
    return step();
  }
  bool on_double(double value, string_view text, error_code&) {
    // A pointer is as long as all names around.
    if (errors.full())
      return step();
    if (!std::isfinite(value))
      errors.add(pointer(), "is too large a number");
    else if (text.find_first_of(".eE") == text.npos)
      errors.add(pointer(), "must be an integer of at most 64 bits");
    return step();
  }
  bool on_bool(bool, error_code&) {
    return step();
  }
  bool on_null(error_code&) {
    return step();
  }
  bool on_comment_part(string_view, error_code&) {
    return true;
  }
  bool on_comment(string_view, error_code&) {
    return true;
  }

  [[nodiscard]] std::string pointer() const {
    std::string out;
    for (const auto& each : open_)
      out =
        pointer_to(out, each.is_array ? std::to_string(each.at) : each.name);
    return out;
  }

  field_errors errors;

private:
  struct container {
    bool is_array = false;
    std::size_t at = 0;
    std::string name;
  };

  /// A value has ended.
  bool step() {
    if (!open_.empty())
      ++open_.back().at;
    return true;
  }
  bool close() {
    open_.pop_back();
    return step();
  }

  std::vector<container> open_;
  std::string key_;
};

} // namespace

std::optional<problem> find_beyond_limits(std::string_view text) {
  bj::parse_options options;
  options.max_depth = max_depth;
  bj::basic_parser<number_listener> parser{options};
  error_code error;
  const auto used = parser.write_some(false, text.data(), text.size(), error);
  auto& heard = parser.handler();
  if (error == bj::error::too_deep)
    heard.errors.add(heard.pointer(), "must not be nested so deep");
  else if (error == bj::error::exponent_overflow)
    heard.errors.add(heard.pointer(), "is too large a number");
  else if (error || used != text.size())
    return std::nullopt;
  if (heard.errors.empty())
    return std::nullopt;
  auto list = heard.errors.take();
  auto detail = list.front().pointer + " " + list.front().detail;
  return problem{problem_code::invalid_params, std::move(detail),
                 std::move(list)};
}

} // namespace troupe::net
