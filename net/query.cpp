#include "net/query.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::net {

std::optional<problem> read_parameters(const target& where,
                                       const parameter_reader& read) {
  problem what{problem_code::invalid_params, "some parameters are not valid"};
  const auto same = [](std::string_view name) {
    return [name](const auto& pair) {
      return pair.first == name;
    };
  };
  for (auto at = where.query.begin(); at != where.query.end(); ++at) {
    const auto before = std::count_if(where.query.begin(), at, same(at->first));
    auto fault = before == 0   ? read(at->first, at->second)
                 : before == 1 ? std::string{"stands more than once"}
                               : std::string{};
    if (!fault.empty())
      what.errors.push_back({pointer_to("", at->first), std::move(fault), {}});
  }
  if (what.errors.empty())
    return std::nullopt;
  return what;
}

std::optional<problem> refuse_parameters(const target& where) {
  return read_parameters(where, [](std::string_view, const std::string&) {
    return std::string{unknown_parameter};
  });
}

std::string read_page_size(std::string_view text, std::uint32_t& out) {
  std::int64_t size = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, size);
  if (at != end || error == std::errc::invalid_argument)
    return "must be an integer";
  if (error == std::errc::result_out_of_range)
    size = text.starts_with('-') ? 1 : 1000;
  out = static_cast<std::uint32_t>(std::clamp<std::int64_t>(size, 1, 1000));
  return {};
}

bool has_control(std::string_view text) noexcept {
  return std::ranges::any_of(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

} // namespace troupe::net
