#include "net/event_sender.hpp"

#include "net/edge.hpp"

#include <chrono>
#include <utility>

namespace troupe::net {

namespace {

timestamp_ms wall_clock() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

/// Counts events that have left.
void count(config::metrics& metrics, const event_inbox::frames& gone) {
  const auto now = wall_clock();
  for (const auto& frame : gone)
    if (frame->kind == actors::frame_kind::event && frame->time > 0)
      metrics.event_latency(static_cast<double>(now - frame->time) / 1000);
}

/// Any thread: refers to nothing that its inbox may outlive.
std::optional<event_inbox::written>
write_now(corked_socket& to, const event_sender::append_frame& append,
          config::metrics& metrics, const event_inbox::frames& frames) {
  thread_local std::string bytes;
  bytes.clear();
  for (const auto& frame : frames)
    append(bytes, *frame);
  const auto done = to.write_now(bytes);
  if (!done)
    return std::nullopt;
  if (done->all)
    count(metrics, frames);
  return event_inbox::written{done->all, done->end};
}

} // namespace

event_sender::event_sender(edge& at, std::shared_ptr<corked_socket> to,
                           std::string_view kind, append_frame append,
                           close_connection close, append_frame append_anywhere)
  : at_{at}, to_{std::move(to)}, kind_{kind}, append_{std::move(append)},
    close_{std::move(close)} {
  event_inbox::callbacks calls;
  if (append_anywhere)
    calls.write = [to_it = to_, append_it = std::move(append_anywhere),
                   metrics = &at_.parts.metrics](const auto& frames) {
      return write_now(*to_it, append_it, *metrics, frames);
    };
  calls.take = [this](event_inbox::frames frames) {
    take(std::move(frames));
  };
  calls.follow = [this](event_inbox::frames frames, std::uint64_t end) {
    on_the_way_.push_back({end, std::move(frames)});
    on_written();
  };
  calls.close = [this](actors::close_code code, const std::string& why) {
    if (code == actors::close_code::slow_consumer)
      at_.parts.metrics.client_dropped("slow_consumer");
    close_(code, why);
  };
  inbox_ = std::make_shared<event_inbox>(to_->socket().get_executor(),
                                         std::move(calls));
  to_->on_written([this] { on_written(); });
  port_ = at_.parts.gateway.open_client(inbox_);
  at_.parts.metrics.event_clients(kind_, 1);
}

event_sender::~event_sender() {
  stop();
  at_.parts.metrics.event_clients(kind_, -1);
}

void event_sender::stop() {
  inbox_->stop();
  to_->on_written(nullptr);
  port_.reset();
}

void event_sender::take(event_inbox::frames frames) {
  if (to_->failed())
    return;
  std::string bytes;
  for (const auto& frame : frames)
    append_(bytes, *frame);
  to_->append(bytes);
  on_the_way_.push_back({to_->appended(), std::move(frames)});
  to_->flush();
}

void event_sender::on_written() {
  while (!on_the_way_.empty() && on_the_way_.front().end <= to_->gone()) {
    account(on_the_way_.front());
    on_the_way_.pop_front();
  }
  if (owed_ >= actors::client_port::credit_step)
    port_->sent(std::exchange(owed_, 0));
}

void event_sender::account(const batch& gone) {
  for (const auto& frame : gone.frames)
    owed_ += frame->text.size();
  count(at_.parts.metrics, gone.frames);
}

} // namespace troupe::net
