#include "actors/store/handed_on.hpp"

#include "actors/store/json_text.hpp"
#include "media/plain_json.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

namespace troupe::store {

namespace {

constexpr std::string_view opening = "{{job:";
constexpr std::string_view closing = "}}";
constexpr std::string_view source_word = "source";
constexpr std::string_view result_word = "result.";

/// Where something is to be put, and what.
struct hole {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view id;
  std::string_view what;
};

/// The next hole of JSON text from `at` on. Neither ids nor names of fields
/// that can be named hold what JSON escapes.
std::optional<hole> next_hole(std::string_view text, std::size_t at) {
  const auto begin = text.find(opening, at);
  if (begin == text.npos)
    return {};
  const auto end = text.find(closing, begin);
  if (end == text.npos)
    return {};
  const auto first = begin + opening.size();
  const auto inside = text.substr(first, end - first);
  const auto dot = inside.find('.');
  hole found{begin, end + closing.size(), inside.substr(0, dot), {}};
  if (dot != inside.npos)
    found.what = inside.substr(dot + 1);
  return found;
}

/// The value of `path` (names with dots between) in a result, as JSON text.
std::optional<std::string> field_of(std::string_view result,
                                    std::string_view path) {
  boost::system::error_code failed;
  const auto all = boost::json::parse({result.data(), result.size()}, failed);
  const auto* value = failed ? nullptr : &all;
  while (value != nullptr && !path.empty()) {
    const auto name = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    value = value->is_object()
              ? value->as_object().if_contains({name.data(), name.size()})
              : nullptr;
  }
  if (value == nullptr)
    return {};
  return media::plain_json(*value);
}

/// Only of what it waits for may a job see the result.
bool is_parent(std::string_view id, const std::vector<std::string>& parents) {
  return std::ranges::find(parents, id) != parents.end();
}

/// What a hole is to hold, as JSON text.
std::optional<std::string> filling(const hole& it, transaction& in) {
  const auto parent = in.find(std::string{it.id});
  if (!parent)
    return {};
  if (it.what == source_word)
    return "\"job:" + parent.it->id + '"';
  if (!it.what.starts_with(result_word))
    return {};
  return field_of(parent.it->result, it.what.substr(result_word.size()));
}

/// True when the text around a hole is a JSON text with nothing else in it,
/// which is no member's name; what stands before `from` is no part of it.
bool is_whole_text(std::string_view text, std::size_t from, const hole& it) {
  const bool quoted = it.begin > from && text[it.begin - 1] == '"'
                      && it.end < text.size() && text[it.end] == '"'
                      && (it.begin < 2 || text[it.begin - 2] != '\\');
  if (!quoted)
    return false;
  const auto next = text.find_first_not_of(" \t\r\n", it.end + 1);
  return next == text.npos || text[next] != ':';
}

/// Without the quotes of a text; other values as a text shows them.
std::string within_text(const std::string& value) {
  std::string quoted = value;
  if (!value.starts_with('"')) {
    quoted.clear();
    json::append_string(quoted, value);
  }
  return quoted.substr(1, quoted.size() - 2);
}

/// The same JSON text without anything that would be taken for a hole when
/// the job is handed its parents' results again.
std::string without_holes(std::string value) {
  constexpr std::string_view brace = "\\u007b";
  for (auto at = value.find("{job:"); at != value.npos;
       at = value.find("{job:", at))
    value.replace(at, 1, brace);
  if (value.ends_with('{'))
    value.replace(value.size() - 1, 1, brace);
  return value;
}

} // namespace

bool can_be_handed_on(std::string_view what) noexcept {
  return what == source_word
         || (what.starts_with(result_word) && what.size() > result_word.size());
}

std::optional<std::string>
never_handed_on(std::string_view params,
                const std::vector<std::string>& parents) {
  for (std::size_t from = 0; const auto next = next_hole(params, from);) {
    if (is_parent(next->id, parents) && !can_be_handed_on(next->what))
      return std::string{params.substr(next->begin, next->end - next->begin)};
    from = next->begin + opening.size();
  }
  return {};
}

std::optional<std::string> hand_on(job& child, bool& changed, transaction& in) {
  std::string filled;
  std::string_view text = child.params;
  std::size_t at = 0;
  std::size_t from = 0;
  while (const auto next = next_hole(text, from)) {
    from = next->begin + opening.size();
    if (!is_parent(next->id, child.depends_on))
      continue;
    const auto value = filling(*next, in);
    if (!value)
      return "nothing to put in for "
             + std::string{text.substr(next->begin, next->end - next->begin)};
    const bool whole = is_whole_text(text, at, *next);
    const std::size_t quote = whole ? 1 : 0;
    filled += text.substr(at, next->begin - quote - at);
    filled += without_holes(whole ? *value : within_text(*value));
    from = at = next->end + quote;
  }
  if (at == 0)
    return {};
  filled += text.substr(at);
  child.params = std::move(filled);
  changed = true;
  return {};
}

} // namespace troupe::store
