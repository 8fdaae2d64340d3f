#include "config/load.hpp"

#include "config/assign.hpp"
#include "config/derive.hpp"
#include "config/keys.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

extern char** environ;

namespace troupe::config {

namespace {

/// Reads source after source. Invariant: `origin` names, for each key that was
/// set, the source that `out.values` has it from.
class reader {
public:
  void file(const std::string& name, const std::string& text);
  void environment(const sources& from);
  void flags(const std::vector<flag>& given);
  loaded finish(const sources& from) &&;

private:
  void section(const std::string& name, std::string_view title,
               const toml::node& node);
  void take(std::string where, std::string_view name, const written& value);
  void complain(std::string where, std::string key, std::string what) {
    out_.problems.push_back(
      {std::move(where), std::move(key), std::move(what)});
  }

  loaded out_;
  std::map<std::string, std::string, std::less<>> origin_;
};

std::string at_line(const std::string& file, const toml::source_region& at) {
  return file + ":" + std::to_string(at.begin.line);
}

/// Of texts, or of whole numbers.
template <class T>
written list_of(const toml::array& array) {
  std::vector<T> values;
  for (const auto& element : array) {
    const auto* value = element.as<T>();
    if (!value)
      return std::monostate{};
    values.push_back(value->get());
  }
  return values;
}

written value_of(const toml::node& node) {
  if (const auto* text = node.as_string())
    return text->get();
  if (const auto* flag = node.as_boolean())
    return flag->get();
  if (const auto* whole = node.as_integer())
    return whole->get();
  if (const auto* number = node.as_floating_point())
    return number->get();
  if (const auto* array = node.as_array())
    return !array->empty() && array->front().is_integer()
             ? list_of<std::int64_t>(*array)
             : list_of<std::string>(*array);
  return std::monostate{};
}

void reader::take(std::string where, std::string_view name,
                  const written& value) {
  const auto* known = find_key(name);
  if (!known)
    return complain(std::move(where), std::string{name}, "is no known key");
  auto wrong = assign(*known, value, out_.values);
  for (auto& each : wrong)
    complain(where, std::string{name}, std::move(each));
  if (!wrong.empty())
    return;
  origin_.insert_or_assign(std::string{name}, std::move(where));
}

void reader::section(const std::string& name, std::string_view title,
                     const toml::node& node) {
  const auto prefix = std::string{title} + ".";
  const bool known =
    std::any_of(keys().begin(), keys().end(),
                [&prefix](const key& k) { return k.name.starts_with(prefix); });
  const auto* table = node.as_table();
  if (!known || !table)
    return complain(at_line(name, node.source()), std::string{title},
                    known ? "must be a section" : "is no known section");
  for (const auto& [key, value] : *table)
    take(at_line(name, value.source()), prefix + std::string{key.str()},
         value_of(value));
}

void reader::file(const std::string& name, const std::string& text) {
  try {
    const auto root = toml::parse(text, name);
    for (const auto& [title, node] : root)
      section(name, title.str(), node);
  } catch (const toml::parse_error& wrong) {
    complain(at_line(name, wrong.source()), {},
             std::string{wrong.description()});
  }
}

/// The key that a variable names; null for none.
const key* key_of_variable(std::string_view variable) {
  for (const auto& known : keys())
    if (variable_of(known.name) == variable)
      return &known;
  return nullptr;
}

void reader::environment(const sources& from) {
  for (const auto& [name, value] : from.environment) {
    // These two speak to the client commands.
    if (!name.starts_with("TROUPE_") || name == "TROUPE_SERVER"
        || name == "TROUPE_TOKEN")
      continue;
    if (const auto* known = key_of_variable(name))
      take(name, known->name, read_text(*known, value));
    else
      complain(name, {}, "names no known key");
  }
}

void reader::flags(const std::vector<flag>& given) {
  for (const auto& [name, key_name, values] : given) {
    const auto* known = find_key(key_name);
    settings scratch;
    const bool list =
      known && known->of(scratch).index() >= 6; // the vectors of `place`
    if (list)
      take(name, key_name, values);
    else if (known && !values.empty())
      take(name, key_name, read_text(*known, values.back()));
    else
      complain(name, key_name, "is no known key");
  }
}

loaded reader::finish(const sources& from) && {
  const auto where = [this](std::string_view key) {
    const auto found = origin_.find(key);
    return found == origin_.end() ? std::string{"default"} : found->second;
  };
  derive(out_.values, from, where, out_.problems);
  return std::move(out_);
}

} // namespace

std::string problem::text() const {
  return where + ": " + (key.empty() ? "" : key + ": ") + what;
}

loaded load(const sources& from) {
  reader all;
  if (!from.file.empty())
    all.file(from.file, from.text);
  all.environment(from);
  all.flags(from.flags);
  return std::move(all).finish(from);
}

sources gather(const std::filesystem::path& file, std::vector<flag> flags,
               std::vector<problem>& wrong) {
  sources out;
  out.flags = std::move(flags);
  for (char** entry = environ; *entry; ++entry)
    if (const char* equals = std::strchr(*entry, '='))
      out.environment.emplace_back(
        std::string{*entry, static_cast<std::size_t>(equals - *entry)},
        equals + 1);
  if (file.empty())
    return out;
  out.file = file.string();
  std::ifstream in{file, std::ios::binary};
  char buffer[4096];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0)
    out.text.append(buffer, static_cast<std::size_t>(in.gcount()));
  if (!in.eof())
    wrong.push_back({out.file, {}, "cannot be read"});
  return out;
}

std::vector<std::string> key_names() {
  std::vector<std::string> names;
  for (const auto& known : keys())
    names.emplace_back(known.name);
  return names;
}

std::string variable_of(std::string_view key) {
  std::string name = "TROUPE_";
  for (char c : key)
    name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c;
  return name;
}

} // namespace troupe::config
