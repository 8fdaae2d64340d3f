#include "media/errc.hpp"

#include <array>
#include <string>

namespace troupe::media {

namespace {

struct entry {
  std::string_view code;
  bool may_pass;
};

constexpr std::array entries{
  entry{"none", false},
  entry{"source_not_found", false},
  entry{"source_forbidden", false},
  entry{"source_private", false},
  entry{"source_unavailable", true},
  entry{"source_changed", true},
  entry{"unsupported_url", false},
  entry{"is_playlist", false},
  entry{"is_live", false},
  entry{"drm_protected", false},
  entry{"geo_blocked", false},
  entry{"rate_limited", true},
  entry{"too_large", false},
  entry{"bad_selector", false},
  entry{"bad_params", false},
  entry{"invalid_media", false},
  entry{"checksum_failed", false},
  entry{"incomplete", true},
  entry{"tool_missing", false},
  entry{"tool_failed", true},
  entry{"tool_crashed", true},
  entry{"disk_full", true},
  entry{"io_error", true},
  entry{"timeout", true},
  entry{"cancelled", false},
  entry{"interrupted", true},
  entry{"node_lost", true},
  entry{"internal", true},
  entry{"fault_asked", true},
  entry{"bad_container", false},
  entry{"result_lost", false},
  entry{"crashed", true},
  entry{"memory", false},
  entry{"sandbox", false},
  entry{"poison_source", false},
  entry{"killed", true},
};
static_assert(entries.size() == static_cast<std::size_t>(errc::killed) + 1);

const entry& entry_of(errc code) noexcept {
  const auto at = static_cast<std::size_t>(code);
  return at < entries.size()
           ? entries[at]
           : entries[static_cast<std::size_t>(errc::internal)];
}

class category final : public std::error_category {
public:
  const char* name() const noexcept override {
    return "media";
  }
  std::string message(int code) const override {
    return std::string{code_of(static_cast<errc>(code))};
  }
};

} // namespace

std::string_view code_of(errc code) noexcept {
  return entry_of(code).code;
}

bool may_pass(errc code) noexcept {
  return entry_of(code).may_pass;
}

const std::error_category& media_category() noexcept {
  static const category instance;
  return instance;
}

std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), media_category()};
}

} // namespace troupe::media
