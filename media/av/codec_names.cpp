#include "media/av/codec_names.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::media {

namespace {

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto dot = text.find('.');
    parts.push_back(text.substr(0, dot));
    if (dot == text.npos)
      return parts;
    text.remove_prefix(dot + 1);
  }
}

std::optional<int> number(std::string_view text, int base) {
  int value = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value, base);
  if (read.ec != std::errc{} || read.ptr != end)
    return {};
  return value;
}

/// Names that differ in where parameter sets lie, not in what is played.
std::string_view family(std::string_view name) {
  if (name == "avc3")
    return "avc1";
  if (name == "hev1")
    return "hvc1";
  return name;
}

using parts = std::vector<std::string_view>;

/// Profiles of H.264 in the order in which they include each other.
int avc_rank(int profile) {
  switch (profile) {
  case 66:
    return 0;
  case 77:
    return 1;
  case 100:
    return 2;
  case 110:
    return 3;
  case 122:
    return 4;
  case 244:
    return 5;
  default:
    return 6;
  }
}

bool plays_avc(const parts& known, const parts& wanted) {
  if (known[1].size() != 6 || wanted[1].size() != 6)
    return false;
  const auto a = number(known[1], 16);
  const auto b = number(wanted[1], 16);
  return a && b && avc_rank(*a >> 16) >= avc_rank(*b >> 16)
         && (*a & 0xff) >= (*b & 0xff);
}

/// "hvc1.1.6.L120.B0": profile, compatibility, tier and level.
bool plays_hevc(const parts& known, const parts& wanted) {
  if (known.size() < 4 || wanted.size() < 4 || known[3].empty()
      || wanted[3].empty())
    return false;
  const auto a = number(known[1], 10);
  const auto b = number(wanted[1], 10);
  const auto level_a = number(known[3].substr(1), 10);
  const auto level_b = number(wanted[3].substr(1), 10);
  const bool tier = known[3][0] == 'H' || wanted[3][0] == 'L';
  return a && b && level_a && level_b && tier && *a <= 2 && *a >= *b
         && *level_a >= *level_b;
}

/// Profile, level and depth as decimal numbers; AV1's level ends in its tier.
bool plays_numbers(const parts& known, const parts& wanted) {
  for (std::size_t i = 1; i < 4; ++i) {
    if (i >= known.size() || i >= wanted.size())
      return true;
    auto a = known[i];
    auto b = wanted[i];
    if (a.ends_with('M') && b.ends_with('H'))
      return false;
    for (auto* each : {&a, &b})
      if (each->ends_with('M') || each->ends_with('H'))
        each->remove_suffix(1);
    const auto most = number(a, 10);
    const auto asked = number(b, 10);
    if (!most || !asked || *most < *asked)
      return false;
  }
  return true;
}

} // namespace

bool plays(std::string_view known, std::string_view wanted) {
  const auto a = parts_of(known);
  const auto b = parts_of(wanted);
  const auto name = family(a.front());
  const bool vp9 = (name == "vp9" || name == "vp09")
                   && (b.front() == "vp9" || b.front() == "vp09");
  if (known.empty() || wanted.empty() || (name != family(b.front()) && !vp9))
    return false;
  if (a.size() == 1)
    return true;
  if (b.size() == 1)
    return vp9;
  if (name == "avc1")
    return plays_avc(a, b);
  if (name == "hvc1")
    return plays_hevc(a, b);
  if (name == "av01" || vp9)
    return plays_numbers(a, b);
  return known == wanted;
}

} // namespace troupe::media
