#include "net/cli/api.hpp"
#include "net/cli/commands.hpp"

#include <filesystem>
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

std::vector<std::string> doubts_of(const config::settings& settings) {
  std::vector<std::string> out;
  std::error_code ignored;
  for (const auto& root : settings.library.media_roots)
    if (!std::filesystem::is_directory(root, ignored))
      out.push_back("library.media_roots: " + root.string()
                    + " is no folder at present; its files are found once it "
                      "is");
  return out;
}

int check_config(const config_options& options) {
  const auto settings = read_settings(options);
  if (!settings)
    return exit_usage;
  for (const auto& doubt : doubts_of(*settings))
    complain(doubt);
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
