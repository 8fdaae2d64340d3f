#include "config/load.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

/// A configuration is read or refused with places, whatever it holds. The
/// first line goes into the environment, the rest is the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  const auto line = text.find('\n');
  troupe::config::sources from;
  from.file = "fuzz.toml";
  from.text = line == text.npos ? "" : text.substr(line + 1);
  from.environment = {{"HOME", "/nowhere"}};
  const auto first = text.substr(0, line);
  if (const auto equals = first.find('='); equals != first.npos)
    from.environment.emplace_back(first.substr(0, equals),
                                  first.substr(equals + 1));
  const auto done = troupe::config::load(from);
  for (const auto& problem : done.problems)
    if (problem.where.empty() || problem.what.empty())
      std::abort();
  return 0;
}
