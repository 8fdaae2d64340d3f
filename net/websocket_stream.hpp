#pragma once

#include "net/corked_socket.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include <memory>
#include <string>
#include <utility>

namespace troupe::net {

/// A corked connection as Beast's WebSocket sees it. Beast reads through it and
/// writes its own frames (handshake, pong, ping, close), each in one piece;
/// data frames are appended to the same socket between them.
class websocket_stream {
public:
  using executor_type = boost::asio::ip::tcp::socket::executor_type;
  using error_code = boost::system::error_code;

  /// @param unread what was read from the connection before
  websocket_stream(std::shared_ptr<corked_socket> under, std::string unread)
    : under_{std::move(under)}, unread_{std::move(unread)} {}

  executor_type get_executor() const {
    return under_->socket().get_executor();
  }

  [[nodiscard]] corked_socket& under() noexcept {
    return *under_;
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    auto begin = [this](auto handler, const Buffers& into) {
      if (unread_.empty()) {
        under_->socket().async_read_some(into, std::move(handler));
        return;
      }
      const auto bytes =
        boost::asio::buffer_copy(into, boost::asio::buffer(unread_));
      unread_.erase(0, bytes);
      complete(std::move(handler), error_code{}, bytes);
    };
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
      std::move(begin), token, buffers);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    auto begin = [this](auto handler, const Buffers& from) {
      std::size_t bytes = 0;
      for (auto at = boost::asio::buffer_sequence_begin(from);
           at != boost::asio::buffer_sequence_end(from); ++at) {
        const boost::asio::const_buffer part{*at};
        // No data may follow a close frame (RFC 6455, 5.5.1).
        if (bytes == 0 && is_close(part))
          under_->seal();
        under_->append({static_cast<const char*>(part.data()), part.size()});
        bytes += part.size();
      }
      // A std::function is copied, a handler cannot be.
      auto held = std::make_shared<decltype(handler)>(std::move(handler));
      under_->when_flushed([this, held, bytes](error_code error) {
        complete(std::move(*held), error, error ? 0 : bytes);
      });
      under_->flush();
    };
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
      std::move(begin), token, buffers);
  }

  friend void beast_close_socket(websocket_stream& stream) {
    stream.under_->cut();
  }

  template <class Handler>
  friend void async_teardown(boost::beast::role_type role,
                             websocket_stream& stream, Handler&& handler) {
    // Waits for the peer's end, so that what was written last is not lost.
    boost::beast::websocket::async_teardown(role, stream.under_->socket(),
                                            std::forward<Handler>(handler));
  }

private:
  static bool is_close(const boost::asio::const_buffer& frame) {
    return frame.size() > 0
           && *static_cast<const unsigned char*>(frame.data()) == 0x88;
  }

  template <class Handler>
  void complete(Handler handler, error_code error, std::size_t bytes) {
    boost::asio::post(get_executor(), boost::beast::bind_front_handler(
                                        std::move(handler), error, bytes));
  }

  std::shared_ptr<corked_socket> under_;
  std::string unread_;
};

} // namespace troupe::net
