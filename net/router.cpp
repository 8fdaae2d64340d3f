#include "net/router.hpp"

#include <algorithm>

namespace troupe::net {

namespace {

bool is_variable(std::string_view part) {
  return part.starts_with('{');
}

std::vector<std::string_view> parts_of(std::string_view pattern) {
  std::vector<std::string_view> parts;
  while (pattern.size() > 1) {
    pattern.remove_prefix(1);
    const auto part = pattern.substr(0, pattern.find('/'));
    parts.push_back(part);
    pattern.remove_prefix(part.size());
  }
  return parts;
}

bool fits(const std::vector<std::string_view>& parts, const target& where) {
  return std::ranges::equal(
    parts, where.segments, [](std::string_view part, const std::string& is) {
      return is_variable(part) ? !is.empty() : part == is;
    });
}

path_params bind(const std::vector<std::string_view>& parts,
                 const target& where) {
  path_params out;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (is_variable(parts[i]))
      out.add(parts[i].substr(1, parts[i].size() - 2), where.segments[i]);
  return out;
}

bool serves(verb offered, verb asked) {
  return offered == asked || (offered == verb::get && asked == verb::head);
}

void add_allowed(std::string& allow, verb method) {
  allow += to_string(method);
  allow += method == verb::get ? ", HEAD, " : ", ";
}

} // namespace

void path_params::add(std::string_view name, std::string_view value) noexcept {
  entries_[count_++] = {name, value};
}

std::string_view path_params::operator[](std::string_view name) const noexcept {
  return std::ranges::find(entries_, entries_ + count_, name, &entry::name)
    ->value;
}

router::router(std::span<const route> routes, std::string prefix,
               const route* subtree)
  : routes_{routes}, prefix_{std::move(prefix)}, subtree_{subtree} {
  for (const auto& each : routes)
    compiled_.push_back({parts_of(each.pattern), &each});
}

bool router::is_beneath(const target& where) const {
  return subtree_ && where.path.size() > prefix_.size()
         && where.path.starts_with(prefix_)
         && where.path[prefix_.size()] == '/';
}

match router::find(verb method, const target& where) const {
  match out;
  if (is_beneath(where)) {
    out.pattern = subtree_->pattern;
    if (serves(subtree_->method, method))
      out.route = subtree_;
    else
      add_allowed(out.allow, subtree_->method);
  }
  if (out.route)
    return out;
  for (const auto& [parts, route] : compiled_) {
    if (!fits(parts, where))
      continue;
    out.pattern = route->pattern;
    if (serves(route->method, method)) {
      out.route = route;
      out.params = bind(parts, where);
      return out;
    }
    add_allowed(out.allow, route->method);
  }
  if (!out.allow.empty())
    out.allow += "OPTIONS";
  return out;
}

} // namespace troupe::net
