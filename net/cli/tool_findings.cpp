#include "net/cli/tool_findings.hpp"

#include "media/child/children.hpp"
#include "media/child/codec_group.hpp"
#include "media/download/tool_check.hpp"
#include "media/tool/tool.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace troupe::cli {

namespace {

void tell(findings& out, const media::tool_health& tool) {
  const auto found = tool.path.empty() ? "not found" : tool.path;
  const auto text = found + (tool.version.empty() ? "" : ", " + tool.version);
  if (!tool.usable)
    out.fail(tool.name, text, tool.advice);
  else if (!tool.advice.empty())
    out.warn(tool.name, text, tool.advice);
  else
    out.ok(tool.name, text);
}

void check_python(findings& out, const std::string& name) {
  const auto path = media::find_program(name);
  if (path.empty())
    out.fail("python", name + " is not there", "apt install python3");
  else
    out.ok("python", path.string());
}

void check_landlock(findings& out) {
  const int version = media::landlock_abi();
  if (version > 0)
    out.ok("landlock", "version " + std::to_string(version));
  else
    out.warn("landlock", "not in this kernel, or not enabled",
             "tools can then read more than they need; boot with lsm=landlock");
}

/// Limits of all children together, beside those of each.
void check_group(findings& out) {
  const auto own = media::own_group();
  if (!own)
    return out.warn("cgroup", own.error().message(),
                    "codec children have limits each, but not together");
  const auto home = media::home_of_groups(*own);
  const auto made = media::codec_group::make(
    home, "troupe-doctor." + std::to_string(::getpid()),
    media::default_group_limits());
  if (made)
    out.ok("cgroup", home.string());
  else
    out.warn("cgroup", made.error().message(),
             "codec children have limits each, but not together; delegate a "
             "cgroup to the server (systemd: Delegate=yes, "
             "DelegateSubgroup=server)");
}

/// What some children may see; Landlock keeps them from the rest.
void check_views(findings& out, const config::sandbox_settings& sandbox) {
  const bool walled = media::landlock_abi() > 0;
  const auto there =
    std::ranges::count_if(sandbox.fonts, [](const std::filesystem::path& path) {
      std::error_code wrong;
      return std::filesystem::exists(path, wrong);
    });
  if (there > 0 && walled)
    out.ok("fonts", std::to_string(there) + " of "
                      + std::to_string(sandbox.fonts.size())
                      + " paths of sandbox.fonts");
  else
    out.warn("fonts", walled ? "none of sandbox.fonts is there" : "no Landlock",
             "text in pictures will lack its letters");
  const auto& node = sandbox.render_node;
  std::error_code wrong;
  if (node.empty())
    return;
  if (walled && std::filesystem::is_character_file(node, wrong))
    out.warn("gpu", node.string(),
             "children that use it are confined less: the driver's calls "
             "reach the kernel");
  else
    out.warn("gpu", walled ? node.string() + " is no device" : "no Landlock",
             "no child uses it");
}

} // namespace

void check_tools(findings& out, const config::tool_settings& tools) {
  std::error_code wrong;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", wrong);
  media::runtime threads;
  media::tool_runner runner{threads, self};
  for (const auto& tool : media::check_tools(
         tools, threads, runner, self.parent_path() / "troupe-codec"))
    tell(out, tool);
  check_python(out, tools.python);
  check_landlock(out);
}

void check_sandbox(findings& out, const config::sandbox_settings& sandbox) {
  std::error_code wrong;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", wrong);
  media::runtime threads;
  media::codec_children children{threads, self.parent_path() / "troupe-codec"};
  check_views(out, sandbox);
  check_group(out);
  const auto layers = children.describe_sandbox();
  if (!layers)
    return out.fail("sandbox", "no codec child: " + layers.error().message());
  std::string active;
  for (const auto& layer : *layers)
    if (layer.active)
      active += (active.empty() ? "" : ", ") + layer.name;
  out.ok("sandbox", active);
  for (const auto& layer : *layers) {
    const auto text = "without " + layer.name + ": " + layer.why_not;
    if (!layer.active && sandbox.required)
      out.fail("sandbox", text, "sandbox.required refuses to start so");
    else if (!layer.active)
      out.warn("sandbox", text, "media is read with one wall less");
  }
}

} // namespace troupe::cli
