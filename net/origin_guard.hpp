#pragma once

#include "config/settings.hpp"
#include "net/problem.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net {

/// Keeps the pages of other sites, and names that resolve to us (DNS
/// rebinding), away from a server that asks nobody who they are.
class origin_guard {
public:
  /// @param address that the server listens on, without port
  /// @param loopback true if that is a loopback address: then the names of
  /// loopback are ours
  origin_guard(const config::http_settings& settings, std::string address,
               std::uint16_t port, bool loopback);

  /// Looks at Host and Origin. Nothing if the request may go on.
  /// @param guarded true where a foreign origin is refused: unsafe methods and
  /// WebSocket
  [[nodiscard]] std::optional<problem> check(const header_fields& fields,
                                             bool guarded) const;

  /// True for an origin that `http.origins` lists: it may read our answers.
  [[nodiscard]] bool is_listed(std::string_view origin) const;

  /// True if answers differ by the origin that asks.
  [[nodiscard]] bool lists_any() const noexcept {
    return !origins_.empty();
  }

private:
  [[nodiscard]] bool is_ours(std::string_view host) const;

  std::vector<std::string> names_; ///< lower case; the port is ours or absent
  std::vector<std::string> hosts_; ///< lower case, as configured
  std::vector<std::string> origins_;
  std::uint16_t port_;
};

} // namespace troupe::net
