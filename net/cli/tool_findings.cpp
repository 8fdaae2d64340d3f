#include "net/cli/tool_findings.hpp"

#include "media/tool/tool.hpp"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>

namespace troupe::cli {

namespace {

void check_program(findings& out, const char* what, const std::string& name,
                   const std::string& remedy) {
  const auto path = media::find_program(name);
  if (path.empty())
    out.fail(what, name + " is not installed", remedy);
  else
    out.ok(what, path.string());
}

/// `troupe-codec` lies beside this program.
void check_codec(findings& out) {
  std::error_code wrong;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", wrong);
  const auto codec = self.parent_path() / "troupe-codec";
  if (::access(codec.c_str(), X_OK) != 0)
    out.fail("codec", codec.string() + " is missing",
             "install it beside troupe");
  else
    out.ok("codec", codec.string());
}

void check_landlock(findings& out) {
  const auto version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0,
                                 LANDLOCK_CREATE_RULESET_VERSION);
  if (version > 0)
    out.ok("landlock", "version " + std::to_string(version));
  else
    out.warn("landlock", "this kernel has it not, or not enabled",
             "tools are then confined by less; boot with lsm=landlock,…");
}

} // namespace

void check_tools(findings& out, const config::tool_settings& tools) {
  check_program(out, "yt-dlp", tools.yt_dlp,
                "apt install yt-dlp, or set tools.yt_dlp");
  check_program(out, "python", tools.python, "apt install python3");
  check_program(out, "ffmpeg", tools.ffmpeg, "apt install ffmpeg");
  check_codec(out);
  check_landlock(out);
}

} // namespace troupe::cli
