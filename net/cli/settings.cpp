#include "net/cli/api.hpp"
#include "net/cli/commands.hpp"

#include <iostream>

namespace troupe::cli {

std::optional<config::settings> read_settings(const config_options& options) {
  std::vector<config::problem> problems;
  auto sources = config::gather(options.file, options.flags, problems);
  auto done = config::load(sources);
  problems.insert(problems.end(), done.problems.begin(), done.problems.end());
  for (const auto& problem : problems)
    complain(problem.text());
  if (!problems.empty())
    return std::nullopt;
  return std::move(done.values);
}

int check_config(const config_options& options) {
  const auto settings = read_settings(options);
  if (!settings)
    return exit_usage;
  if (!options.print) {
    std::cout << "The configuration is good.\n";
    return exit_done;
  }
  std::string section;
  for (const auto& key : config::key_names()) {
    const auto dot = key.find('.');
    if (section != key.substr(0, dot)) {
      std::cout << (section.empty() ? "[" : "\n[") << key.substr(0, dot)
                << "]\n";
      section = key.substr(0, dot);
    }
    std::cout << key.substr(dot + 1) << " = " << config::show(*settings, key)
              << '\n';
  }
  return exit_done;
}

} // namespace troupe::cli
