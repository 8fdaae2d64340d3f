#pragma once

#include "net/problem.hpp"
#include "net/target.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::net {

/// Reads one parameter of a query; says what is wrong with it, if anything.
using parameter_reader =
  std::function<std::string(std::string_view name, const std::string& value)>;

/// Hands every parameter to `read`; all that is wrong is told at once, a name
/// that stands twice too.
[[nodiscard]] std::optional<problem>
read_parameters(const target& where, const parameter_reader& read);

/// The same where there is nothing to be asked for.
[[nodiscard]] std::optional<problem> refuse_parameters(const target& where);

/// What a reader says of a parameter that it does not know.
inline constexpr std::string_view unknown_parameter = "is not known here";

/// `page_size` as lists take it: 1…1000, coerced; says what is wrong with a
/// text that is no integer.
[[nodiscard]] std::string read_page_size(std::string_view text,
                                         std::uint32_t& out);

/// True if a byte is below 0x20 or DEL.
[[nodiscard]] bool has_control(std::string_view text) noexcept;

} // namespace troupe::net
