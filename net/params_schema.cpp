#include "net/params_schema.hpp"

#include "net/schema_values.hpp"
#include "net/schema_words.hpp"

#include <boost/json.hpp>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <unordered_map>
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

/// One sentence for each place, the first; but a wrong type is what all else
/// there comes of.
class told_once {
public:
  void add(field_error error, bool about_type) {
    const auto [at, is_new] = places_.try_emplace(error.pointer, all_.size());
    if (is_new)
      all_.push_back(std::move(error));
    else if (about_type)
      all_[at->second] = std::move(error);
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return all_.size();
  }

  void move_to(field_errors& errors) && {
    for (auto& each : all_)
      errors.add(std::move(each.pointer), std::move(each.detail));
  }

private:
  std::vector<field_error> all_;
  std::unordered_map<std::string, std::size_t> places_;
};

/// Notes what is wrong, and what only says that something within is wrong
/// where nothing else was said.
void note(ValidationResults& results, const bj::value& schema,
          const std::string& pointer, field_errors& errors) {
  told_once wrappers, found;
  // One more than are told, which says that there are more.
  for (ValidationResults::Error error;
       found.size() <= field_errors::most && results.popError(error);) {
    auto& to = is_wrapper(error.description) ? wrappers : found;
    if (to.size() <= field_errors::most)
      to.add(field_error_of(error, schema, pointer),
             is_about_type(error.description));
  }
  std::move(found.size() == 0 ? wrappers : found).move_to(errors);
}

/// False, and noted, if a text somewhere is too long for patterns.
bool fit_for_patterns(dom::element value, const json_place& at,
                      field_errors& errors) {
  bool good = true;
  if (std::string_view text; !value.get(text)) {
    good = text.size() <= max_matched_bytes;
    if (!good && !errors.full())
      errors.add(at.pointer(), "must have at most 8192 bytes");
  } else if (dom::object object; !value.get(object)) {
    for (const auto [name, member] : object)
      good = fit_for_patterns(member, at.member(name), errors) && good;
  } else if (dom::array array; !value.get(array)) {
    for (const auto each : array)
      good = fit_for_patterns(each, at, errors) && good;
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

  /// Null: anything may stand there.
  [[nodiscard]] const bj::object* schema_of(std::string_view name) const {
    const auto* properties = document.as_object().if_contains("properties");
    const auto* found =
      properties
        ? properties->as_object().if_contains({name.data(), name.size()})
        : nullptr;
    return found ? found->if_object() : nullptr;
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
  const json_place top{nullptr, pointer};
  bool good = true;
  for (const auto [name, value] : params) {
    if (!impl_->knows(name)) {
      errors.add(pointer_to(pointer, name), "is not known here");
      continue;
    }
    if (impl_->has_patterns)
      good = fit_for_patterns(value, top.member(name), errors) && good;
    known.emplace(bj::string_view{name.data(), name.size()},
                  value_for(impl_->schema_of(name), value, &memory));
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
