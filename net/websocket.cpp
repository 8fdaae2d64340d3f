#include "net/websocket.hpp"

#include "actors/store/page_room.hpp"
#include "net/client_requests.hpp"
#include "net/edge.hpp"
#include "net/event_sender.hpp"
#include "net/takeover.hpp"
#include "net/websocket_stream.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace troupe::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view subprotocol = "troupe.v1";
constexpr std::size_t max_message = 64 * 1024;
/// The room that is kept for a next message.
constexpr std::size_t kept_message = 2 * 1024;
/// Requests under way, bytes of answers not yet read, and those that requests
/// under way may yet bring, beyond which a client is not listened to.
constexpr std::size_t max_requests = 256;
constexpr std::size_t max_unread_answers = 1024 * 1024;
constexpr std::size_t max_owed_answers = 4 * 1024 * 1024;
/// What an answer with one job may come to, and what is around a new one.
constexpr std::size_t job_answer = 1024 * 1024;
constexpr std::size_t around_submit = 4 * 1024;

/// For the peer to take what waits, and then to answer a close.
constexpr auto flush_limit = 10s;
constexpr auto close_limit = 2s;
constexpr auto close_watch = 250ms;

using upgrade_request = http::request<http::empty_body>;

/// The request as Beast knows it. It was read once already, so it is whole.
std::optional<upgrade_request> parse_head(const std::string& head) {
  http::request_parser<http::empty_body> parser;
  parser.eager(false);
  beast::error_code error;
  parser.put(asio::buffer(head), error);
  if (error || !parser.is_header_done())
    return std::nullopt;
  return parser.release();
}

/// Bytes that its answer may come to.
std::size_t answer_to(const request_message& asked) {
  if (asked.method == request_message::method::list)
    return store::max_page_bytes;
  if (asked.method != request_message::method::submit)
    return job_answer;
  // The job that has the key may be another's; one that was answered before
  // came in a message like this one.
  if (asked.params.find("\"unique_key\"") != asked.params.npos)
    return job_answer;
  if (asked.params.find("\"idempotency_key\"") != asked.params.npos)
    return max_message;
  return around_submit + 2 * asked.params.size();
}

bool offers_protocol(const upgrade_request& request) {
  const auto offered = request[http::field::sec_websocket_protocol];
  http::token_list list{{offered.data(), offered.size()}};
  return list.exists(subprotocol);
}

/// A data frame of text, unmasked, not fragmented (RFC 6455, 5.2).
void append_frame_head(std::string& out, std::size_t size) {
  const auto push = [&out](std::size_t byte) {
    out += static_cast<char>(static_cast<unsigned char>(byte & 0xFF));
  };
  push(0x81);
  if (size < 126) {
    push(size);
    return;
  }
  const int bytes = size < 0x10000 ? 2 : 8;
  push(bytes == 2 ? 126 : 127);
  for (int i = bytes; i-- > 0;)
    push(size >> (8 * i));
}

} // namespace

/// One WebSocket. All of it runs on the io thread, but for data frames that go
/// at once (see `event_sender`), which the stream's own close frame ends.
/// Invariant: data frames are appended only while `open()`; the port lives
/// while the reader runs.
class websocket_session
  : public std::enable_shared_from_this<websocket_session> {
public:
  websocket_session(takeover taken, edge& at)
    : at_{at}, under_{std::make_shared<corked_socket>(std::move(taken.socket))},
      stream_{under_, std::move(taken.unread)},
      wake_{under_->socket().get_executor()},
      watch_{under_->socket().get_executor()}, head_{std::move(taken.head)},
      answer_fields_{std::move(taken.answer_fields)}, on_stop_{std::move(
                                                        taken.on_stop)} {}

  asio::awaitable<void> run() {
    const bool upgraded = co_await accept();
    if (!upgraded)
      co_return;
    begin();
    co_await read_all();
    co_await finish();
  }

private:
  asio::awaitable<bool> accept() {
    const auto request = parse_head(head_);
    if (!request)
      co_return false;
    prepare(offers_protocol(*request));
    beast::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await stream_.async_accept(*request, token);
    // Most connections live long and say little: what only began them goes.
    std::string{}.swap(head_);
    std::string{}.swap(answer_fields_);
    co_return !error;
  }

  /// Not in `accept`: with a lambda that holds `this` in it, GCC 12 looks for
  /// the coroutine's own `this` in the wrong place.
  void prepare(bool ours) {
    websocket::stream_base::timeout limits;
    limits.handshake_timeout = 10s;
    limits.idle_timeout = std::chrono::seconds{at_.settings.idle_timeout_s};
    limits.keep_alive_pings = true;
    stream_.set_option(limits);
    stream_.set_option(websocket::stream_base::decorator{
      [this, ours](websocket::response_type& answer) {
        decorate(answer, ours);
      }});
    stream_.read_message_max(max_message);
  }

  void decorate(websocket::response_type& answer, bool ours) const {
    answer.set(http::field::server, "troupe");
    if (ours)
      answer.set(http::field::sec_websocket_protocol, subprotocol);
    std::string_view fields = answer_fields_;
    while (!fields.empty()) {
      const auto end = fields.find("\r\n");
      const auto line = fields.substr(0, end);
      const auto colon = line.find(": ");
      if (colon != line.npos)
        answer.insert(line.substr(0, colon), line.substr(colon + 2));
      fields.remove_prefix(end == fields.npos ? fields.size() : end + 2);
    }
  }

  void begin() {
    auto append_anywhere = [](std::string& out, const actors::frame& frame) {
      append_frame_head(out, frame.text.size());
      out += frame.text;
    };
    auto append = [this, append_anywhere](std::string& out,
                                          const actors::frame& frame) {
      if (open())
        append_anywhere(out, frame);
    };
    auto close = [this](actors::close_code code, const std::string& why) {
      this->close(static_cast<std::uint16_t>(code), why);
    };
    sender_ = std::make_unique<event_sender>(at_, under_, "websocket",
                                             std::move(append),
                                             std::move(close), append_anywhere);
    on_stop_([self = weak_from_this()] {
      if (const auto here = self.lock())
        here->close(static_cast<std::uint16_t>(actors::close_code::going_away),
                    "the server stops");
    });
    keep_watch();
  }

  // -- reading ----------------------------------------------------------------

  asio::awaitable<void> read_all() {
    beast::flat_buffer buffer;
    for (;;) {
      co_await until_caught_up();
      beast::error_code error;
      auto token = asio::redirect_error(asio::use_awaitable, error);
      co_await stream_.async_read(buffer, token);
      if (error)
        co_return;
      if (!stream_.got_text()) {
        close(websocket::close_code::unknown_data, "text frames only");
      } else if (open()) {
        const auto data = buffer.cdata();
        take({static_cast<const char*>(data.data()), data.size()});
      }
      buffer.consume(buffer.size());
      if (buffer.capacity() > kept_message)
        buffer.shrink_to_fit();
    }
  }

  /// A client that asks faster than it reads the answers waits here.
  asio::awaitable<void> until_caught_up() {
    while (
      open()
      && (asks_much() || under_->waiting() >= max_unread_answers
          || sender_->port().wished() >= actors::client_port::max_topics)) {
      wake_.expires_after(100ms);
      beast::error_code error; // Woken early, or not: it looks again.
      auto token = asio::redirect_error(asio::use_awaitable, error);
      co_await wake_.async_wait(token);
    }
  }

  [[nodiscard]] bool asks_much() const {
    return requests_ >= max_requests || owed_ >= max_owed_answers;
  }

  void take(std::string_view text) {
    auto read = at_.messages.read(text);
    if (const auto* fault = std::get_if<client_fault>(&read)) {
      say(error_text(fault->id, fault->what));
      return;
    }
    auto& message = std::get<client_message>(read);
    std::visit([this, &message](auto& what) { act(message.id, what); },
               message.what);
  }

  void act(std::string& id, subscribe_message& what) {
    sender_->port().subscribe(std::move(id), std::move(what.topics));
  }

  void act(std::string& id, unsubscribe_message& what) {
    sender_->port().unsubscribe(std::move(id), std::move(what.topics));
  }

  void act(const std::string& id, const ping_message&) {
    say(pong_text(id));
  }

  void act(std::string& id, request_message& what) {
    ++requests_;
    owed_ += answer_to(what);
    auto answering = answer(shared_from_this(), std::move(id), std::move(what));
    asio::co_spawn(under_->socket().get_executor(), std::move(answering),
                   asio::detached);
  }

  static asio::awaitable<void> answer(std::shared_ptr<websocket_session> self,
                                      std::string id, request_message what) {
    const auto owed = answer_to(what);
    auto asking = answer_request(self->at_, std::move(id), std::move(what));
    const auto text = co_await std::move(asking);
    const bool waits = self->asks_much();
    --self->requests_;
    self->owed_ -= owed;
    if (waits && !self->asks_much())
      self->wake_.cancel();
    self->say(text);
  }

  // -- writing ----------------------------------------------------------------

  [[nodiscard]] bool open() const {
    return !closing_ && stream_.is_open() && !under_->failed();
  }

  void say(const std::string& text) {
    if (!open())
      return;
    std::string head;
    append_frame_head(head, text.size());
    under_->append(head);
    under_->append(text);
    under_->flush();
  }

  // -- the end ----------------------------------------------------------------

  void close(std::uint16_t code, std::string_view why) {
    if (!open())
      return;
    closing_ = true;
    keep_watch();
    sender_->stop();
    wake_.cancel();
    const websocket::close_reason reason{
      static_cast<websocket::close_code>(code), beast::string_view{why}};
    stream_.async_close(reason, [self = shared_from_this()](beast::error_code) {
      self->closed();
    });
  }

  void closed() {
    closed_ = true;
    under_->cut();
    wake_.cancel();
  }

  [[nodiscard]] std::chrono::seconds write_limit() const {
    return std::chrono::seconds{at_.settings.write_timeout_s};
  }

  /// Cuts a peer that takes nothing, or does not answer a close.
  void keep_watch() {
    watch_.expires_after(open() ? std::clamp<std::chrono::milliseconds>(
                           write_limit() / 4, 50ms, 2000ms)
                                : close_watch);
    watch_.async_wait([self = weak_from_this()](beast::error_code error) {
      const auto here = self.lock();
      if (error || !here)
        return;
      if (here->in_time())
        here->keep_watch();
      else
        here->under_->cut();
    });
  }

  [[nodiscard]] bool in_time() {
    const auto now = corked_socket::clock::now();
    if (open()) {
      if (under_->stalled() <= write_limit())
        return true;
      at_.parts.metrics.client_dropped("write_timeout");
      close(static_cast<std::uint16_t>(actors::close_code::slow_consumer),
            "what was sent is not read");
      return true;
    }
    using duration = corked_socket::clock::duration;
    if (!flushed_by_)
      flushed_by_ = now + std::min<duration>(write_limit(), flush_limit);
    if (!closed_by_ && under_->waiting() == 0)
      closed_by_ = now + std::min<duration>(write_limit(), close_limit);
    return now <= closed_by_.value_or(*flushed_by_);
  }

  asio::awaitable<void> finish() {
    sender_->stop();
    sender_.reset();
    while (closing_ && !closed_ && !under_->failed()) {
      wake_.expires_after(50ms);
      beast::error_code error;
      auto token = asio::redirect_error(asio::use_awaitable, error);
      co_await wake_.async_wait(token);
    }
    watch_.cancel();
    under_->cut();
  }

  edge& at_;
  std::shared_ptr<corked_socket> under_;
  websocket::stream<websocket_stream, false> stream_;
  asio::steady_timer wake_;
  asio::steady_timer watch_;
  std::string head_;
  std::string answer_fields_;
  std::function<void(std::function<void()>)> on_stop_;
  std::unique_ptr<event_sender> sender_;
  std::size_t requests_ = 0;
  std::size_t owed_ = 0; ///< bytes that their answers may come to
  /// Set once it is no longer open, and once nothing waits for the peer; it is
  /// cut when the later one has passed.
  std::optional<corked_socket::clock::time_point> flushed_by_;
  std::optional<corked_socket::clock::time_point> closed_by_;
  bool closing_ = false;
  bool closed_ = false;
};

asio::awaitable<void> serve_websocket(takeover taken, edge& at) {
  const auto session =
    std::make_shared<websocket_session>(std::move(taken), at);
  co_await session->run();
}

} // namespace troupe::net
