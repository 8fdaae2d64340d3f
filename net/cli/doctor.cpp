#include "media/tool/tool.hpp"
#include "net/cli/api.hpp"
#include "net/cli/commands.hpp"
#include "net/cli/encoder_findings.hpp"
#include "net/cli/findings.hpp"
#include "net/cli/store_findings.hpp"
#include "net/cli/text.hpp"
#include "net/cli/tool_findings.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>

namespace troupe::cli {

namespace {

namespace fs = std::filesystem;

constexpr double little_space = 5e9;
constexpr double no_space = 200e6;
constexpr std::uint64_t enough_files = 4096;

/// The folder, or the nearest one above it that exists.
fs::path existing(fs::path dir) {
  std::error_code ignored;
  while (!fs::exists(dir, ignored) && dir.has_relative_path())
    dir = dir.parent_path();
  return dir;
}

void check_folder(findings& out, const char* what, const fs::path& dir) {
  const auto there = existing(dir);
  const auto path = dir.string() + (there == dir ? "" : " (to be made)");
  if (::access(there.c_str(), R_OK | W_OK | X_OK) != 0)
    return out.fail(what, path + ": " + std::generic_category().message(errno),
                    "let this user write to " + there.string());
  std::error_code wrong;
  const auto space = fs::space(there, wrong);
  const auto free = static_cast<double>(space.available);
  const auto text = path + ", " + bytes_text(free) + " free";
  if (wrong)
    out.fail(what, path + ": " + wrong.message());
  else if (free < no_space)
    out.fail(what, text, "make room: nothing can be stored");
  else if (free < little_space)
    out.warn(what, text, "a few downloads may fill it");
  else
    out.ok(what, text);
}

/// Jobs name what people watch; cookies and keys lie there, too.
void check_readers(findings& out, const fs::path& data) {
  std::error_code missing;
  const auto mode = fs::status(data, missing).permissions();
  const auto others = fs::perms::group_all | fs::perms::others_all;
  if (!missing && (mode & others) != fs::perms::none)
    out.warn("data", "others than its user may enter " + data.string(),
             "chmod 700 " + data.string());
}

void check_limits(findings& out) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const auto text = std::to_string(limit.rlim_max) + " files may be open";
  if (limit.rlim_max < enough_files)
    out.warn("limits", text,
             "raise it (ulimit -Hn, LimitNOFILE=) to serve many clients");
  else
    out.ok("limits", text);
}

} // namespace

int doctor(const config_options& options) {
  findings out{options.json};
  std::vector<config::problem> problems;
  auto sources = config::gather(options.file, options.flags, problems);
  auto done = config::load(sources);
  problems.insert(problems.end(), done.problems.begin(), done.problems.end());
  for (const auto& problem : problems)
    out.fail("config", problem.text());
  if (out.failed())
    return out.finish();
  const auto& settings = done.values;
  out.ok("config", options.file.empty() ? "defaults, environment and flags"
                                        : options.file.string());
  check_folder(out, "data", settings.data.dir);
  check_readers(out, settings.data.dir);
  check_folder(out, "library", settings.library.dir);
  for (const auto& doubt : doubts_of(settings))
    out.warn("media roots", doubt, "mount it, or make it");
  check_store(out, settings, options.repair);
  check_tools(out, settings.tools);
  check_encoders(out);
  check_sandbox(out, settings.sandbox);
  check_limits(out);
  return out.finish();
}

} // namespace troupe::cli
