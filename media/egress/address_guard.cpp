#include "media/egress/address_guard.hpp"

#include "config/text.hpp"
#include "media/errc.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace troupe::media {

namespace {

namespace ip = boost::asio::ip;

struct v4_block {
  std::uint32_t base;
  unsigned prefix;
};

constexpr std::uint32_t quad(std::uint32_t a, std::uint32_t b, std::uint32_t c,
                             std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

/// IANA IPv4 Special-Purpose Address Registry and multicast. What is in it and
/// yet globally reachable are services of networks, no sources: closed too.
constexpr std::array closed_v4{
  v4_block{quad(0, 0, 0, 0), 8},       // this network
  v4_block{quad(10, 0, 0, 0), 8},      // private
  v4_block{quad(100, 64, 0, 0), 10},   // shared by carrier-grade NAT
  v4_block{quad(127, 0, 0, 0), 8},     // loopback
  v4_block{quad(169, 254, 0, 0), 16},  // link-local, cloud metadata
  v4_block{quad(172, 16, 0, 0), 12},   // private
  v4_block{quad(192, 0, 0, 0), 24},    // protocol assignments
  v4_block{quad(192, 0, 2, 0), 24},    // documentation
  v4_block{quad(192, 31, 196, 0), 24}, // AS112
  v4_block{quad(192, 52, 193, 0), 24}, // multicast tunnels
  v4_block{quad(192, 88, 99, 0), 24},  // 6to4 relays, and 6a44
  v4_block{quad(192, 168, 0, 0), 16},  // private
  v4_block{quad(192, 175, 48, 0), 24}, // AS112
  v4_block{quad(198, 18, 0, 0), 15},   // benchmarking
  v4_block{quad(198, 51, 100, 0), 24}, // documentation
  v4_block{quad(203, 0, 113, 0), 24},  // documentation
  v4_block{quad(224, 0, 0, 0), 4},     // multicast
  v4_block{quad(240, 0, 0, 0), 4},     // reserved, broadcast
};

struct v6_block {
  std::array<std::uint8_t, 6> base; ///< no prefix in question is longer
  unsigned prefix;
};

/// IANA IPv6 Special-Purpose Address Registry, what lies in the global unicast
/// range 2000::/3; all outside that range is closed anyway. 6to4 (2002::/16)
/// is judged by the address that it carries, Teredo (in 2001::/23) is closed.
constexpr std::array closed_v6{
  v6_block{{0x20, 0x01, 0x00, 0x00, 0, 0}, 23},       // protocol assignments
  v6_block{{0x20, 0x01, 0x0d, 0xb8, 0, 0}, 32},       // documentation
  v6_block{{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48}, // AS112
  v6_block{{0x3f, 0xff, 0x00, 0x00, 0, 0}, 20},       // documentation
};

template <class Left, class Right>
bool shares_prefix(const Left& left, const Right& right, unsigned bits) {
  const unsigned whole = bits / 8;
  if (!std::equal(left.begin(), left.begin() + whole, right.begin()))
    return false;
  const unsigned rest = bits % 8;
  const auto differing =
    rest == 0 ? 0u : static_cast<unsigned>(left[whole] ^ right[whole]);
  return rest == 0 || (differing >> (8 - rest)) == 0;
}

bool is_public(const ip::address_v4& address) {
  const auto value = address.to_uint();
  return std::none_of(
    closed_v4.begin(), closed_v4.end(), [value](const v4_block& closed) {
      return ((value ^ closed.base) >> (32 - closed.prefix)) == 0;
    });
}

/// The IPv4 address that stands in four of the bytes.
ip::address_v4 carried(const ip::address_v6::bytes_type& bytes,
                       std::size_t at) {
  return ip::address_v4{ip::address_v4::bytes_type{
    {bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]}}};
}

bool is_public(const ip::address_v6& address) {
  const auto bytes = address.to_bytes();
  if (address.is_v4_mapped())
    return is_public(carried(bytes, 12));
  // RFC 6052: 64:ff9b::/96. Its local cousin 64:ff9b:1::/48 (RFC 8215) leads
  // into somebody's own network and lies outside 2000::/3.
  constexpr std::array<std::uint8_t, 12> nat64{0, 0x64, 0xff, 0x9b};
  if (shares_prefix(bytes, nat64, 96))
    return is_public(carried(bytes, 12));
  if (bytes[0] == 0x20 && bytes[1] == 0x02)
    return is_public(carried(bytes, 2));
  const bool global_unicast = (bytes[0] >> 5) == 1;
  return global_unicast
         && std::none_of(closed_v6.begin(), closed_v6.end(),
                         [&bytes](const v6_block& closed) {
                           return shares_prefix(bytes, closed.base,
                                                closed.prefix);
                         });
}

ip::address_v6 as_v6(const ip::address& address) {
  if (address.is_v4())
    return ip::make_address_v6(ip::v4_mapped, address.to_v4());
  // Without the zone: an interface's name decides nothing here.
  return ip::address_v6{address.to_v6().to_bytes()};
}

struct cidr {
  ip::address_v6 base;
  unsigned prefix = 128;
};

std::optional<cidr> parse_cidr(std::string_view text) {
  const auto slash = text.find('/');
  boost::system::error_code wrong;
  const auto address =
    ip::make_address(std::string{text.substr(0, slash)}, wrong);
  if (wrong || (address.is_v6() && address.to_v6().scope_id() != 0))
    return std::nullopt;
  const unsigned width = address.is_v4() ? 32 : 128;
  unsigned prefix = width;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, prefix);
    if (read.ec != std::errc{} || read.ptr != end || prefix > width)
      return std::nullopt;
  }
  return cidr{as_v6(address), prefix + 128 - width};
}

using config::lower;

/// A host that is an address in any form that a resolver takes without asking
/// anybody: dotted, with fewer parts, octal, hexadecimal, in brackets.
std::optional<ip::address> literal(const std::string& host) {
  boost::system::error_code wrong;
  const auto written = ip::make_address(host, wrong);
  if (!wrong)
    return written;
  in_addr loose{};
  if (host.find_first_of(" \t\r\n\v\f") == std::string::npos
      && ::inet_aton(host.c_str(), &loose) != 0)
    return ip::address_v4{ntohl(loose.s_addr)};
  return std::nullopt;
}

bool is_localhost(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost")
         || host == "localhost.localdomain" || host == "ip6-localhost"
         || host == "ip6-loopback";
}

} // namespace

address_guard::address_guard(const config::source_settings& settings)
  : allow_all_(settings.allow_private) {
  for (const auto& text : settings.allow)
    if (const auto parsed = parse_cidr(text))
      allowed_.push_back({parsed->base, parsed->prefix});
}

bool address_guard::allows(const ip::address& address) const {
  if (allow_all_)
    return true;
  const auto wide = as_v6(address);
  const auto bytes = wide.to_bytes();
  return is_public(wide)
         || std::any_of(
           allowed_.begin(), allowed_.end(), [&bytes](const block& let_in) {
             return shares_prefix(bytes, let_in.base.to_bytes(), let_in.prefix);
           });
}

bool address_guard::may_name(std::string_view host) const {
  auto name = lower(host);
  if (name.size() > 1 && name.front() == '[' && name.back() == ']')
    name = name.substr(1, name.size() - 2);
  if (name.ends_with('.'))
    name.pop_back();
  if (name.empty())
    return false;
  if (is_localhost(name))
    return allows(ip::address_v4::loopback())
           || allows(ip::address_v6::loopback());
  const auto address = literal(name);
  return !address || allows(*address);
}

} // namespace troupe::media
