#include "net/event_stream.hpp"

#include "net/edge.hpp"
#include "net/event_sender.hpp"
#include "net/takeover.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

namespace troupe::net {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto heartbeat = 15s;
/// What a topic is refused with while the store is away.
constexpr std::string_view passing_problem = "store_unavailable";

} // namespace

/// One event stream. All of it runs on the io thread. Invariant: `offsets_[i]`
/// is where a client that knows everything written so far has to resume
/// `topics_[i]`, in `epoch_`.
class event_stream_session
  : public std::enable_shared_from_this<event_stream_session> {
public:
  event_stream_session(takeover taken,
                       std::vector<actors::topic_request> topics, edge& at)
    : at_{at}, under_{std::make_shared<corked_socket>(std::move(taken.socket))},
      watch_{under_->socket().get_executor()}, topics_{std::move(topics)},
      epoch_{topics_.front().epoch} {
    for (const auto& topic : topics_)
      offsets_.push_back(topic.offset);
    under_->append("HTTP/1.1 200 OK\r\n"
                   "Content-Type: text/event-stream\r\n"
                   "Cache-Control: no-store\r\n"
                   "X-Accel-Buffering: no\r\n"
                   "X-Content-Type-Options: nosniff\r\n"
                   "Connection: close\r\n");
    under_->append(taken.answer_fields);
    under_->append("\r\n: hello\n\n");
    on_stop_ = std::move(taken.on_stop);
  }

  asio::awaitable<void> run() {
    begin();
    co_await read_until_end();
    sender_->stop();
    sender_.reset();
    watch_.cancel();
    under_->cut();
  }

private:
  void begin() {
    auto append = [this](std::string& out, const actors::frame& frame) {
      append_event(out, frame);
    };
    auto close = [this](actors::close_code, const std::string&) {
      end();
    };
    sender_ = std::make_unique<event_sender>(
      at_, under_, "sse", std::move(append), std::move(close));
    under_->flush();
    sender_->port().subscribe({}, topics_);
    keep_watch();
    on_stop_([self = weak_from_this()] {
      if (const auto here = self.lock())
        here->end();
    });
  }

  /// Ends when the client has left, or was cut off. It has nothing to say.
  asio::awaitable<void> read_until_end() {
    std::array<char, 512> ignored;
    boost::system::error_code error;
    while (!error) {
      auto token = asio::redirect_error(asio::use_awaitable, error);
      co_await under_->socket().async_read_some(asio::buffer(ignored), token);
    }
  }

  // -- events -----------------------------------------------------------------

  void advance(const actors::frame& frame) {
    if (frame.epoch != epoch_) {
      epoch_ = frame.epoch;
      std::ranges::fill(offsets_, 0);
    }
    const auto at =
      std::ranges::find(topics_, frame.topic, &actors::topic_request::topic);
    if (at != topics_.end())
      offsets_[static_cast<std::size_t>(at - topics_.begin())] = frame.offset;
  }

  /// `id: {epoch}:{offset}[,{offset}…]`.
  void append_id(std::string& out) const {
    out.append("id: ").append(epoch_);
    char before = ':';
    for (const auto offset : offsets_) {
      out += std::exchange(before, ',');
      out += std::to_string(offset);
    }
    out += '\n';
  }

  void append_event(std::string& out, const actors::frame& frame) {
    using enum actors::frame_kind;
    // What a recovered topic missed follows; until then its place is the old.
    const bool counts =
      frame.kind == event || (frame.kind == subscribed && !frame.recovered);
    if (counts)
      advance(frame);
    std::string_view type = frame.type;
    if (frame.kind != event)
      type = frame.kind == subscribed ? "subscribed" : "problem";
    out.append("event: ").append(type).append("\n");
    if (counts)
      append_id(out);
    out.append("data: ").append(frame.text).append("\n\n");
    if (frame.kind == error && frame.type == passing_problem)
      end_soon();
  }

  /// A topic that may be had later: the client comes back for it by itself.
  void end_soon() {
    asio::post(under_->socket().get_executor(), [self = weak_from_this()] {
      if (const auto here = self.lock())
        here->end();
    });
  }

  // -- time and the end -------------------------------------------------------

  void keep_watch() {
    const auto limit = std::chrono::seconds{at_.settings.write_timeout_s};
    watch_.expires_after(std::min<std::chrono::seconds>(heartbeat, limit));
    watch_.async_wait(
      [self = weak_from_this(), limit](boost::system::error_code error) {
        const auto here = self.lock();
        if (error || !here)
          return;
        if (here->under_->stalled() > limit) {
          here->at_.parts.metrics.client_dropped("write_timeout");
          here->under_->cut();
          return;
        }
        if (here->under_->waiting() == 0) {
          here->under_->append(": heartbeat\n\n");
          here->under_->flush();
        }
        here->keep_watch();
      });
  }

  /// Writes what waits, then closes.
  void end() {
    if (!sender_)
      return;
    sender_->stop();
    under_->when_flushed([self = shared_from_this()](
                           boost::system::error_code) { self->under_->cut(); });
  }

  edge& at_;
  std::shared_ptr<corked_socket> under_;
  asio::steady_timer watch_;
  std::vector<actors::topic_request> topics_;
  std::string epoch_;
  std::vector<std::uint64_t> offsets_;
  std::function<void(std::function<void()>)> on_stop_;
  std::unique_ptr<event_sender> sender_;
};

asio::awaitable<void>
serve_event_stream(takeover taken, std::vector<actors::topic_request> topics,
                   edge& at) {
  const auto session = std::make_shared<event_stream_session>(
    std::move(taken), std::move(topics), at);
  co_await session->run();
}

} // namespace troupe::net
