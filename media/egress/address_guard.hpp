#pragma once

#include "config/result.hpp"
#include "config/settings.hpp"

#include <boost/asio/ip/address.hpp>

#include <string_view>
#include <vector>

namespace troupe::media {

/// Says which addresses may be fetched from: all that are public, and those
/// that the configuration lets in. Private, loopback, link-local, CGNAT,
/// multicast, documentation, benchmarking and reserved ranges are refused, and
/// so are IPv6 forms that carry such an IPv4 address (mapped, 6to4, NAT64,
/// Teredo). Source: the IANA special-purpose address registries.
class address_guard {
public:
  /// @pre the CIDR blocks are valid, as the configuration sees to.
  explicit address_guard(const config::source_settings& settings);

  [[nodiscard]] bool allows(const boost::asio::ip::address& address) const;

  /// For a URL's host as written: false if it is a literal address (in any of
  /// the forms that resolvers take, such as 0x7f.1) that is refused, or
  /// `localhost`. A name that must be resolved passes; the proxy looks again.
  [[nodiscard]] bool may_name(std::string_view host) const;

private:
  struct block {
    boost::asio::ip::address_v6 base; ///< IPv4 as v4-mapped
    unsigned prefix = 128;
  };
  std::vector<block> allowed_;
  bool allow_all_ = false;
};

} // namespace troupe::media
