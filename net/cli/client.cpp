#include "net/cli/client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

namespace troupe::cli {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr auto connect_time = 5s;
constexpr auto answer_time = 60s;
constexpr std::uint64_t most_bytes = 64u << 20;

failure why(const server_address& at, const error_code& code) {
  return {code, at.authority()};
}

/// Runs what was started until it has set `done`.
void finish(asio::io_context& io, const bool& done) {
  io.restart();
  while (!done && io.run_one() > 0) {
  }
}

/// Resolves and connects; the stream's own timer ends it in time.
error_code connect(asio::io_context& io, beast::tcp_stream& stream,
                   const server_address& to) {
  error_code code;
  asio::ip::tcp::resolver resolver{io};
  const auto found = resolver.resolve(to.host, to.port, code);
  if (code)
    return code;
  bool done = false;
  stream.expires_after(connect_time);
  stream.async_connect(found, [&](error_code result, const auto&) {
    code = result;
    done = true;
  });
  finish(io, done);
  return code;
}

class socket final : public event_socket {
public:
  explicit socket(server_address to) : to_(std::move(to)), stream_(io_) {}

  error_code open() {
    if (auto code = connect(io_, beast::get_lowest_layer(stream_), to_))
      return code;
    beast::get_lowest_layer(stream_).expires_never();
    auto times =
      websocket::stream_base::timeout::suggested(beast::role_type::client);
    times.handshake_timeout = connect_time;
    stream_.set_option(times);
    stream_.read_message_max(most_bytes);
    stream_.set_option(websocket::stream_base::decorator(
      [token = to_.token](websocket::request_type& request) {
        request.set(http::field::sec_websocket_protocol, "troupe.v1");
        if (!token.empty())
          request.set(http::field::authorization, "Bearer " + token);
      }));
    error_code code;
    bool done = false;
    stream_.async_handshake(to_.authority(), "/v1/ws", [&](error_code result) {
      code = result;
      done = true;
    });
    finish(io_, done);
    return code;
  }

  result<void> send(std::string text) override {
    error_code code;
    bool done = false;
    stream_.text(true);
    stream_.async_write(asio::buffer(text),
                        [&](error_code result, std::size_t) {
                          code = result;
                          done = true;
                        });
    finish(io_, done);
    if (code)
      return why(to_, code);
    return {};
  }

  result<std::optional<std::string>>
  next(std::chrono::milliseconds wait) override {
    if (!reading_)
      read();
    io_.restart();
    const auto until = std::chrono::steady_clock::now() + wait;
    while (reading_ && io_.run_one_until(until) > 0) {
    }
    if (reading_)
      return std::nullopt;
    if (ended_)
      return why(to_, ended_);
    auto text = beast::buffers_to_string(buffer_.data());
    buffer_.consume(buffer_.size());
    return text;
  }

private:
  /// A read stays under way while nobody waits for it.
  void read() {
    reading_ = true;
    stream_.async_read(buffer_, [this](error_code code, std::size_t) {
      ended_ = code;
      reading_ = false;
    });
  }

  server_address to_;
  asio::io_context io_{1};
  websocket::stream<beast::tcp_stream, false> stream_;
  beast::flat_buffer buffer_;
  error_code ended_;
  bool reading_ = false;
};

} // namespace

std::string server_address::authority() const {
  const bool v6 = host.find(':') != host.npos;
  return (v6 ? "[" + host + "]" : host) + ":" + port;
}

result<server_address> parse_server(std::string_view url) {
  const auto bad = [url] {
    return failure{make_error_code(std::errc::invalid_argument),
                   "a server is named like http://127.0.0.1:8080, not "
                     + std::string{url}};
  };
  if (!url.starts_with("http://"))
    return bad();
  url.remove_prefix(7);
  if (url.ends_with('/'))
    url.remove_suffix(1);
  server_address out;
  const auto v6_end = url.starts_with('[') ? url.find(']') : 0;
  const auto colon = url.find(':', v6_end);
  if (v6_end == url.npos || url.find_first_of("/?#@ ") != url.npos)
    return bad();
  out.host = v6_end ? url.substr(1, v6_end - 1) : url.substr(0, colon);
  out.port = colon == url.npos ? "80" : url.substr(colon + 1);
  if (out.host.empty() || out.port.empty()
      || out.port.find_first_not_of("0123456789") != out.port.npos)
    return bad();
  return out;
}

result<answer> call(const server_address& to, std::string_view method,
                    const std::string& target, std::string body) {
  asio::io_context io{1};
  beast::tcp_stream stream{io};
  if (auto code = connect(io, stream, to))
    return why(to, code);
  http::request<http::string_body> request{http::verb::get, target, 11};
  request.method_string({method.data(), method.size()});
  request.set(http::field::host, to.authority());
  request.set(http::field::accept, "application/json");
  if (!to.token.empty())
    request.set(http::field::authorization, "Bearer " + to.token);
  if (!body.empty())
    request.set(http::field::content_type, "application/json");
  request.body() = std::move(body);
  request.prepare_payload();
  request.keep_alive(false);

  http::response_parser<http::string_body> parser;
  parser.body_limit(most_bytes);
  beast::flat_buffer buffer;
  error_code outcome;
  bool done = false;
  const auto ended = [&](error_code code, std::size_t) {
    outcome = code;
    done = true;
  };
  stream.expires_after(answer_time);
  // A server that refuses early may answer before it has read everything.
  http::async_write(stream, request, ended);
  finish(io, done);
  done = false;
  http::async_read(stream, buffer, parser, ended);
  finish(io, done);
  if (outcome)
    return why(to, outcome);
  return answer{static_cast<int>(parser.get().result_int()),
                std::move(parser.get().body())};
}

result<std::unique_ptr<event_socket>>
event_socket::open(const server_address& to) {
  auto made = std::make_unique<socket>(to);
  if (auto code = made->open())
    return why(to, code);
  return std::unique_ptr<event_socket>{std::move(made)};
}

} // namespace troupe::cli
