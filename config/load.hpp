#pragma once

#include "config/settings.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Where settings come from: a TOML file, then `TROUPE_SECTION_KEY` in the
/// environment, then flags; the later one counts. Nothing else in the project
/// reads configuration.
namespace troupe::config {

/// One thing that is wrong, and where it was written.
struct problem {
  std::string where; ///< `file:line`, a variable's name, or a flag
  std::string key;   ///< such as `http.listen`; empty: the whole source
  std::string what;

  /// `where: key: what`.
  [[nodiscard]] std::string text() const;
};

/// A flag of the command line that sets a key. A list takes several values.
struct flag {
  std::string name; ///< as typed, such as `--listen`
  std::string key;  ///< such as `http.listen`
  std::vector<std::string> values;
};

/// All that is read, as text.
struct sources {
  std::string file; ///< its name, for messages; empty: there is none
  std::string text; ///< what it holds
  /// The process's environment, whatever its names.
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<flag> flags;
};

/// What was read. The settings count only if there are no problems.
struct loaded {
  settings values;
  std::vector<problem> problems;
};

/// Reads every source to its end, checks each value and how they fit together,
/// and fills in what is derived. Reports all problems at once. Relative paths
/// are taken from the working folder and made absolute.
[[nodiscard]] loaded load(const sources& from);

/// The sources of this process.
/// @param file the value of `--config`; empty: no file is read.
/// @param wrong gets a problem if the file cannot be read.
[[nodiscard]] sources gather(const std::filesystem::path& file,
                             std::vector<flag> flags,
                             std::vector<problem>& wrong);

/// Every key there is, such as `http.listen`, in the order of `troupe.toml`.
[[nodiscard]] std::vector<std::string> key_names();

/// `TROUPE_HTTP_LISTEN` for `http.listen`.
[[nodiscard]] std::string variable_of(std::string_view key);

/// A key's value as TOML writes it.
[[nodiscard]] std::string show(const settings& values, std::string_view key);

} // namespace troupe::config
