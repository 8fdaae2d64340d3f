#include "media/download/error_rules.hpp"
#include "media/download/manifest.hpp"
#include "media/download/meter.hpp"
#include "media/download/output.hpp"
#include "media/download/source_info.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

/// Everything that yt-dlp prints or leads to: its progress lines, its
/// description of a source, a manifest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace troupe::media;
  std::string_view text{reinterpret_cast<const char*>(data), size};
  static_cast<void>(read_source_info(text));
  static_cast<void>(extract_answer(text));
  static_cast<void>(lasting_info(text));
  static_cast<void>(read_manifest(text, "http://e.org/a/b"));

  progress_meter meter;
  error_lines said;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    said.take(line);
    const auto event = read_output_line(line);
    const auto before = meter.now();
    if (const auto* bytes = std::get_if<fetch_line>(&event))
      meter.fetched(*bytes);
    const auto& now = meter.now();
    if (now.done < before.done || (now.total > 0 && now.done > now.total))
      std::abort();
  }
  static_cast<void>(sort_failure(said, {1, 0, ""}, {}));
  return 0;
}
