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

} // namespace

event_sender::event_sender(edge& at, std::shared_ptr<corked_socket> to,
                           std::string_view kind, append_frame append,
                           close_connection close)
  : at_{at}, to_{std::move(to)}, kind_{kind}, append_{std::move(append)},
    close_{std::move(close)} {
  event_inbox::callbacks calls;
  calls.frames = [this](std::vector<actors::frame_ptr> frames) {
    take(std::move(frames));
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

void event_sender::take(std::vector<actors::frame_ptr> frames) {
  if (to_->failed())
    return;
  for (const auto& frame : frames)
    append_(to_->tail(), *frame);
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
  const auto now = wall_clock();
  for (const auto& frame : gone.frames) {
    owed_ += frame->text.size();
    if (frame->kind == actors::frame_kind::event)
      at_.parts.metrics.event_latency(static_cast<double>(now - frame->time)
                                      / 1000);
  }
}

} // namespace troupe::net
