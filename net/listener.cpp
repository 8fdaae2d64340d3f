#include "net/listener.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fcntl.h>

#include <charconv>

namespace troupe::net {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int backlog = 4096;

result<tcp::endpoint> read_address(const std::string& text) {
  const auto colon = text.rfind(':');
  auto name = text.substr(0, colon);
  if (name == "localhost")
    name = "127.0.0.1";
  if (name.starts_with('[') && name.ends_with(']'))
    name = name.substr(1, name.size() - 2);
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto* digits = colon == text.npos ? end : text.data() + colon + 1;
  const auto read = std::from_chars(digits, end, port);
  error_code error;
  const auto address = asio::ip::make_address(name, error);
  if (error || read.ec != std::errc{} || read.ptr != end)
    return failure{std::make_error_code(std::errc::invalid_argument), text};
  return tcp::endpoint{address, port};
}

void bind_to(tcp::acceptor& it, const tcp::endpoint& where, error_code& error) {
  it.open(where.protocol(), error);
  if (error)
    return;
  ::fcntl(it.native_handle(), F_SETFD, FD_CLOEXEC);
  it.set_option(asio::socket_base::reuse_address{true}, error);
  if (!error)
    it.bind(where, error);
  if (!error)
    it.listen(backlog, error);
}

} // namespace

result<listener> listener::open(const std::string& text) {
  const auto where = read_address(text);
  if (!where)
    return where.error();
  error_code error;
  if (!where->address().is_loopback())
    error = asio::error::no_permission;
  asio::io_context io;
  tcp::acceptor bound{io};
  if (!error)
    bind_to(bound, *where, error);
  if (error)
    return failure{error, "http.listen " + text};
  const auto port = bound.local_endpoint().port();
  return listener{media::descriptor{bound.release()},
                  where->address().to_string(), port};
}

} // namespace troupe::net
