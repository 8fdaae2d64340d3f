#include "actors/edge.hpp"

#include "actors/client.hpp"

#include <caf/send.hpp>

#include <utility>

namespace troupe::actors {

namespace {

/// Stands in for a client when there is no hub: its sink has been closed.
class closed_port final : public client_port {
  void subscribe(std::string, std::vector<topic_request>) override {}
  void unsubscribe(std::string, std::vector<std::string>) override {}
  void sent(std::size_t) override {}
};

} // namespace

void edge::meet(edge_contacts contacts) {
  const std::lock_guard lock{mutex_};
  std::swap(contacts_, contacts);
}

edge_contacts edge::contacts() {
  const std::lock_guard lock{mutex_};
  return contacts_;
}

/// Without a queue the request goes unanswered, which answers it.
void edge::ask_queue(auto request) {
  queue_actor queue;
  {
    const std::lock_guard lock{mutex_};
    queue = contacts_.queue;
  }
  if (queue)
    caf::anon_send(queue, std::move(request));
}

void edge::submit(store::submit_op op, reply_to<submit_reply> reply) {
  ask_queue(
    submit_request{std::move(op), answer<submit_reply>{std::move(reply)}});
}

void edge::command(job_command_kind kind, std::string id,
                   reply_to<store::job> reply) {
  ask_queue(
    job_command{kind, std::move(id), answer<store::job>{std::move(reply)}});
}

void edge::get(std::string id, reply_to<store::job> reply) {
  ask_queue(get_request{std::move(id), answer<store::job>{std::move(reply)}});
}

void edge::list(store::list_query query, reply_to<store::job_page> reply) {
  ask_queue(
    list_request{std::move(query), answer<store::job_page>{std::move(reply)}});
}

void edge::depths(reply_to<std::vector<store::queue_depth>> reply) {
  ask_queue(
    depths_request{answer<std::vector<store::queue_depth>>{std::move(reply)}});
}

void edge::extract(std::string url, reply_to<extract_reply> reply) {
  extract_request request{std::move(url),
                          answer<extract_reply>{std::move(reply)}};
  if (const auto to = contacts().extract)
    caf::anon_send(to, std::move(request));
}

void edge::figures(reply_to<hub_figures> reply) {
  figures_request request{answer<hub_figures>{std::move(reply)}};
  if (const auto to = contacts().hub)
    caf::anon_send(to, std::move(request));
}

std::unique_ptr<client_port>
edge::open_client(std::shared_ptr<client_sink> sink) {
  const auto now = contacts();
  if (now.hub && now.queue)
    return actors::open_client(sys_, now.hub, now.queue, std::move(sink),
                               settings_);
  sink->close(close_code::going_away, "events are not to be had now");
  return std::make_unique<closed_port>();
}

} // namespace troupe::actors
