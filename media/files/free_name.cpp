#include "media/files/free_name.hpp"

#include "media/files/names.hpp"

#include <algorithm>

namespace troupe::media {

namespace {

constexpr std::size_t name_limit = 255;
constexpr std::size_t extension_limit = 12;

} // namespace

std::string stem_of(const std::string& name) {
  const auto dot = name.rfind('.');
  const bool none = dot == std::string::npos || dot == 0
                    || name.size() - dot > extension_limit
                    || name.find(' ', dot) != std::string::npos;
  return none ? name : name.substr(0, dot);
}

std::string numbered(const std::string& name, const std::string& stem,
                     unsigned number) {
  const bool shared =
    name.starts_with(stem)
    && (name.size() == stem.size() || name[stem.size()] == '.');
  const auto own = shared ? stem : stem_of(name);
  const auto tail =
    " (" + std::to_string(number) + ")" + name.substr(own.size());
  const auto room = name_limit - std::min(name_limit, tail.size());
  return cut_utf8(own, room) + tail;
}

} // namespace troupe::media
