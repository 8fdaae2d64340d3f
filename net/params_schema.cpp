#include "net/params_schema.hpp"

#include "net/schema_words.hpp"

#include <boost/json.hpp>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

namespace troupe::net {

namespace {

namespace dom = simdjson::dom;
namespace bj = boost::json;
using valijson::ValidationResults;
using adapter = valijson::adapters::BoostJsonAdapter;

/// Longest text in params of a type whose schema has patterns: std::regex
/// calls itself for every character.
constexpr std::size_t max_matched_bytes = 8192;

bj::value convert(dom::element from, const bj::storage_ptr& memory);

/// To valijson only what is stored as one is an integer; to JSON Schema since
/// draft 6, and to us, 5.0 is.
bj::value convert_number(double from, const bj::storage_ptr& memory) {
  constexpr double exact = 0x1p53;
  if (std::abs(from) <= exact && from == std::floor(from))
    return bj::value(static_cast<std::int64_t>(from), memory);
  return bj::value(from, memory);
}

bj::value convert_array(dom::array from, const bj::storage_ptr& memory) {
  bj::array out(memory);
  out.reserve(from.size());
  for (const auto each : from)
    out.push_back(convert(each, memory));
  return out;
}

bj::value convert_object(dom::object from, const bj::storage_ptr& memory) {
  bj::object out(memory);
  out.reserve(from.size());
  for (const auto [name, value] : from)
    out.emplace(bj::string_view{name.data(), name.size()},
                convert(value, memory));
  return out;
}

bj::value convert(dom::element from, const bj::storage_ptr& memory) {
  switch (from.type()) {
  case dom::element_type::ARRAY:
    return convert_array(dom::array{from}, memory);
  case dom::element_type::OBJECT:
    return convert_object(dom::object{from}, memory);
  case dom::element_type::INT64:
    return bj::value(std::int64_t{from}, memory);
  case dom::element_type::UINT64:
    return bj::value(std::uint64_t{from}, memory);
  case dom::element_type::DOUBLE:
    return convert_number(double{from}, memory);
  case dom::element_type::BOOL:
    return bj::value(bool{from}, memory);
  case dom::element_type::STRING: {
    const std::string_view text{from};
    return bj::value(bj::string_view{text.data(), text.size()}, memory);
  }
  case dom::element_type::NULL_VALUE:
    break;
  }
  return bj::value(nullptr, memory);
}

/// What stands between the last two quotes, as in `property 'url'.`
std::string_view last_quoted(std::string_view text) {
  const auto end = text.rfind('\'');
  const auto begin =
    end == text.npos || end == 0 ? text.npos : text.rfind('\'', end - 1);
  return begin == text.npos ? "" : text.substr(begin + 1, end - begin - 1);
}

/// `{"<root>", "[a]", "[0]"}` as a JSON pointer.
std::string pointer_of(const std::vector<std::string>& context,
                       std::string pointer) {
  for (const std::string_view part :
       std::span{context}.subspan(std::min<std::size_t>(1, context.size())))
    pointer = pointer_to(pointer, part.substr(1, part.size() - 2));
  return pointer;
}

/// An error that only says that something within is wrong.
bool is_wrapper(std::string_view what) {
  return what.starts_with("Failed to validate against schema associated")
         || what.starts_with("Failed to validate item");
}

field_error field_error_of(const ValidationResults::Error& error,
                           const bj::value& schema,
                           const std::string& pointer) {
  field_error out{
    pointer_of(error.context, pointer),
    words_for(error.description, schema_at(schema, error.context)),
    {}};
  if (error.description.starts_with("Missing required property")) {
    out.pointer = pointer_to(out.pointer, last_quoted(error.description));
    out.detail = "is required";
  } else if (error.description.starts_with("Object contains a property")) {
    out.pointer = pointer_to(out.pointer, last_quoted(error.description));
    out.detail = "is not known here";
  }
  return out;
}

/// What is wrong at one place; a wrong type is what all else there comes of.
struct told_once {
  field_error error;
  bool about_type = false;
};

void tell(std::vector<told_once>& all, told_once one) {
  const auto before =
    std::ranges::find(all, one.error.pointer,
                      [](const told_once& each) { return each.error.pointer; });
  if (before == all.end())
    all.push_back(std::move(one));
  else if (one.about_type)
    *before = std::move(one);
}

/// Notes one sentence for each place, the first, and what only says that
/// something within is wrong where nothing else was said.
void note(ValidationResults& results, const bj::value& schema,
          const std::string& pointer, field_errors& errors) {
  std::vector<told_once> wrappers, found;
  for (ValidationResults::Error error; results.popError(error);)
    tell(is_wrapper(error.description) ? wrappers : found,
         {field_error_of(error, schema, pointer),
          is_about_type(error.description)});
  for (auto& each : found.empty() ? wrappers : found)
    errors.add(std::move(each.error.pointer), std::move(each.error.detail));
}

/// False, and noted, if a text somewhere is too long for patterns.
bool fit_for_patterns(dom::element value, const std::string& pointer,
                      field_errors& errors) {
  bool good = true;
  if (std::string_view text; !value.get(text)) {
    good = text.size() <= max_matched_bytes;
    if (!good)
      errors.add(pointer, "must have at most 8192 bytes");
  } else if (dom::object object; !value.get(object)) {
    for (const auto [name, member] : object)
      good =
        fit_for_patterns(member, pointer_to(pointer, name), errors) && good;
  } else if (dom::array array; !value.get(array)) {
    for (const auto each : array)
      good = fit_for_patterns(each, pointer, errors) && good;
  }
  return good;
}

} // namespace

struct params_schema::impl {
  const media::job_type& type;
  bj::value document;
  valijson::Schema schema;
  /// Names taken at the top; empty if any is.
  std::vector<std::string> known;
  bool has_patterns = false;

  explicit impl(const media::job_type& of)
    : type{of},
      // No braces: they would make an array around it.
      document(bj::parse({of.params_schema.data(), of.params_schema.size()})),
      has_patterns{of.params_schema.find("\"pattern")
                   != std::string_view::npos} {
    valijson::SchemaParser parser;
    parser.populateSchema(adapter{document}, schema);
    const auto& top = document.as_object();
    const auto* more = top.if_contains("additionalProperties");
    const auto* properties = top.if_contains("properties");
    if (more && more->is_bool() && !more->get_bool() && properties)
      for (const auto& each : properties->as_object())
        known.emplace_back(each.key());
  }

  [[nodiscard]] bool knows(std::string_view name) const {
    return known.empty() || std::ranges::find(known, name) != known.end();
  }
};

params_schema::params_schema(const media::job_type& type)
  : impl_{std::make_unique<impl>(type)} {}

params_schema::~params_schema() = default;
params_schema::params_schema(params_schema&&) noexcept = default;

const media::job_type& params_schema::type() const noexcept {
  return impl_->type;
}

bool params_schema::takes(std::string_view field) const noexcept {
  return !impl_->known.empty() && impl_->knows(field);
}

void params_schema::check(dom::object params, const std::string& pointer,
                          field_errors& errors) const {
  std::byte space[4096];
  bj::monotonic_resource memory{space, sizeof space};
  bj::object known(&memory);
  bool good = true;
  for (const auto [name, value] : params) {
    if (!impl_->knows(name)) {
      errors.add(pointer_to(pointer, name), "is not known here");
      continue;
    }
    if (impl_->has_patterns)
      good = fit_for_patterns(value, pointer_to(pointer, name), errors) && good;
    known.emplace(bj::string_view{name.data(), name.size()},
                  convert(value, &memory));
  }
  if (!good)
    return;
  // No braces: they would make an array around it.
  const bj::value checked(std::move(known));
  ValidationResults results;
  valijson::Validator validator{valijson::Validator::kStrongTypes};
  if (!validator.validate(impl_->schema, adapter{checked}, &results))
    note(results, impl_->document, pointer, errors);
}

} // namespace troupe::net
