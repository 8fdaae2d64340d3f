#include "net/cli/encoder_findings.hpp"

#include "net/cli/child_ask.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::cli {

namespace {

struct known_encoder {
  const char* what;
  std::string_view name; ///< libav's
  const char* makes;
};

constexpr std::string_view of_streams = "libx264";
constexpr std::array known_encoders{
  known_encoder{"x264", of_streams, "H.264"},
  known_encoder{"x265", "libx265", "HEVC"},
  known_encoder{"SVT-AV1", "libsvtav1", "AV1"},
  known_encoder{"VP9", "libvpx-vp9", "VP9"}};

struct found_encoders {
  std::vector<std::string> all;
  std::string hardware; ///< names, with commas between
};

found_encoders read_encoders(const std::string& lines) {
  found_encoders out;
  std::istringstream in{lines};
  for (std::string name, kind; in >> name >> kind;) {
    out.all.push_back(name);
    if (kind == "hardware")
      out.hardware += (out.hardware.empty() ? "" : ", ") + name;
  }
  return out;
}

/// The first one that could hold an encoder; empty: there is none.
std::string find_device() {
  std::error_code wrong;
  for (const auto& each :
       std::filesystem::directory_iterator{"/dev/dri", wrong})
    if (each.path().filename().string().starts_with("renderD"))
      return each.path();
  for (const auto* path : {"/dev/nvidia0", "/dev/video11"})
    if (std::filesystem::exists(path, wrong))
      return path;
  return {};
}

void tell_hardware(findings& out, const std::string& names) {
  const auto device = find_device();
  if (names.empty() || device.empty())
    return out.ok("hardware", names.empty() ? "no encoder of this libavcodec"
                                            : "no device for " + names);
  out.ok("hardware", names + "; " + device);
}

} // namespace

void check_encoders(findings& out) {
  std::error_code wrong;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", wrong);
  media::runtime threads;
  media::codec_children children{threads, self.parent_path() / "troupe-codec"};
  media::child_task task;
  task.name = "encoders";
  const auto end = ask_child(children, std::move(task));
  if (end.code != media::errc::none)
    return out.fail("encoders", end.message);
  const auto found = read_encoders(end.result);
  for (const auto& each : known_encoders) {
    const std::string name{each.name};
    if (std::ranges::find(found.all, name) != found.all.end())
      out.ok(each.what, name + ", for " + each.makes);
    else if (each.name == of_streams)
      out.fail(each.what, name + " is not in this libavcodec",
               "films can be copied, but not encoded: install one that has it");
    else
      out.warn(each.what, name + " is not in this libavcodec",
               std::string{"no "} + each.makes + " can be made by it");
  }
  tell_hardware(out, found.hardware);
}

} // namespace troupe::cli
