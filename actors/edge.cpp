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
  door_->meet(contacts.queue);
  door_->meet(contacts.monitor);
  const std::lock_guard lock{mutex_};
  std::swap(contacts_, contacts);
}

edge_contacts edge::contacts() {
  const std::lock_guard lock{mutex_};
  return contacts_;
}

/// Without a queue the request goes unanswered, which answers it.
template <class Request>
void edge::tell_queue(Request request) {
  if (const auto queue = door_->queue())
    caf::anon_send(queue, std::move(request));
}

template <class T, class Request>
void edge::ask_queue(Request request, reply_to<T> reply) {
  if (door_->is_full())
    return reply(fail(errc::too_many_asks));
  request.reply = answer<T>{std::move(reply), door_->owed()};
  tell_queue(std::move(request));
}

template <class T, class Ask>
void edge::ask_store(Ask ask, reply_to<T> reply) {
  if (door_->is_full())
    return reply(fail(errc::too_many_asks));
  store_call request;
  request.run = [ask = std::move(ask),
                 reply = answer<T>{std::move(reply), door_->owed()}](
                  store::job_store* at) -> std::optional<failure> {
    if (!at) {
      reply(fail(store::errc::unavailable));
      return std::nullopt;
    }
    auto said = ask(*at);
    std::optional<failure> why;
    if (!said)
      why = said.error();
    reply(std::move(said));
    return why;
  };
  tell_queue(std::move(request));
}

void edge::submit(store::submit_op op, reply_to<submit_reply> reply) {
  ask_queue(submit_request{std::move(op), {}}, std::move(reply));
}

void edge::command(job_command_kind kind, std::string id,
                   reply_to<store::job> reply) {
  ask_queue(job_command{kind, std::move(id), {}}, std::move(reply));
}

void edge::get(std::string id, reply_to<store::job> reply) {
  ask_queue(get_request{std::move(id), {}}, std::move(reply));
}

void edge::list(store::list_query query, reply_to<store::job_page> reply) {
  ask_queue(list_request{std::move(query), {}}, std::move(reply));
}

/// Not counted: it tells whether the server is well.
void edge::depths(reply_to<std::vector<store::queue_depth>> reply) {
  tell_queue(
    depths_request{answer<std::vector<store::queue_depth>>{std::move(reply)}});
}

void edge::queues(reply_to<std::vector<store::queue_info>> reply) {
  ask_queue(queues_request{{}}, std::move(reply));
}

void edge::log(std::string id, reply_to<log_reply> reply) {
  ask_queue(log_call{std::move(id), {}}, std::move(reply));
}

void edge::submit_batch(store::batch_draft draft,
                        std::vector<store::job_draft> jobs,
                        store::idempotency key,
                        reply_to<store::batch_submitted> reply) {
  ask_queue(batch_call{std::move(draft), std::move(jobs), std::move(key), {}},
            std::move(reply));
}

void edge::batch(std::string id, reply_to<store::batch> reply) {
  ask_queue(batch_request{std::move(id), {}}, std::move(reply));
}

void edge::bulk(store::bulk_request request,
                reply_to<store::bulk_result> reply) {
  ask_queue(bulk_call{std::move(request), {}}, std::move(reply));
}

void edge::change(store::operation op, reply_to<store::applied> reply) {
  ask_queue(change_call{std::move(op), {}}, std::move(reply));
}

void edge::schedules(reply_to<std::vector<store::schedule>> reply) {
  ask_store<std::vector<store::schedule>>(
    [](store::job_store& at) { return at.schedules(); }, std::move(reply));
}

void edge::schedule(std::string name, reply_to<store::schedule> reply) {
  ask_store<store::schedule>(
    [name = std::move(name)](store::job_store& at) {
      return at.get_schedule(name);
    },
    std::move(reply));
}

void edge::limit(std::string key, reply_to<store::key_limit> reply) {
  ask_store<store::key_limit>(
    [key = std::move(key)](store::job_store& at) { return at.limit_of(key); },
    std::move(reply));
}

void edge::dead_callbacks(std::string after, std::uint32_t max,
                          reply_to<std::vector<store::callback>> reply) {
  ask_store<std::vector<store::callback>>(
    [after = std::move(after), max](store::job_store& at) {
      return at.dead_callbacks(after, max);
    },
    std::move(reply));
}

void edge::retry_callback(std::string id, reply_to<bool> reply) {
  ask_store<bool>(
    [id = std::move(id)](store::job_store& at) -> result<bool> {
      const auto done = at.retry_callback(id);
      if (!done)
        return done.error();
      return true;
    },
    std::move(reply));
}

void edge::extract(std::string url, reply_to<extract_reply> reply) {
  extract_request request{std::move(url),
                          answer<extract_reply>{std::move(reply)}};
  if (const auto to = contacts().extract)
    caf::anon_send(to, std::move(request));
}

void edge::nodes(reply_to<nodes_reply> reply) {
  nodes_request request{answer<nodes_reply>{std::move(reply)}};
  if (const auto monitor = door_->monitor())
    caf::anon_send(monitor, std::move(request));
}

void edge::figures(reply_to<hub_figures> reply) {
  figures_request request{answer<hub_figures>{std::move(reply)}};
  if (const auto to = contacts().hub)
    caf::anon_send(to, std::move(request));
}

void edge::make(image_ask ask, reply_to<image_reply> reply) {
  image_request request{std::move(ask), answer<image_reply>{std::move(reply)}};
  if (const auto to = contacts().crew)
    caf::anon_send(to, std::move(request));
}

void edge::crew(reply_to<crew_figures> reply) {
  crew_request request{answer<crew_figures>{std::move(reply)}};
  if (const auto to = contacts().crew)
    caf::anon_send(to, std::move(request));
}

// -- streams ------------------------------------------------------------------

template <class Request>
void edge::tell_streams(Request request) {
  if (const auto to = contacts().streams)
    caf::anon_send(to, std::move(request));
}

void edge::open_stream(stream_ask ask, reply_to<stream_view> reply) {
  tell_streams(
    actors::stream_open{std::move(ask), answer<stream_view>{std::move(reply)}});
}

void edge::list_streams(reply_to<std::vector<stream_view>> reply) {
  tell_streams(stream_list{answer<std::vector<stream_view>>{std::move(reply)}});
}

void edge::show_stream(std::string id, reply_to<stream_view> reply) {
  tell_streams(stream_call{stream_call::kind::show,
                           std::move(id),
                           {},
                           answer<stream_view>{std::move(reply)}});
}

void edge::change_stream(std::string id, stream_change what,
                         reply_to<stream_view> reply) {
  tell_streams(stream_call{stream_call::kind::change, std::move(id), what,
                           answer<stream_view>{std::move(reply)}});
}

void edge::close_stream(std::string id, reply_to<stream_view> reply) {
  tell_streams(stream_call{stream_call::kind::close,
                           std::move(id),
                           {},
                           answer<stream_view>{std::move(reply)}});
}

void edge::stream_part(stream_file_ask ask, reply_to<stream_file_reply> reply) {
  tell_streams(
    stream_fetch{std::move(ask), answer<stream_file_reply>{std::move(reply)}});
}

void edge::open_direct(std::string id, reply_to<stream_direct> reply) {
  tell_streams(
    stream_open_file{std::move(id), answer<stream_direct>{std::move(reply)}});
}

void edge::plan_course(std::string id, double start_s,
                       reply_to<stream_course> reply) {
  tell_streams(stream_plan_course{std::move(id), start_s,
                                  answer<stream_course>{std::move(reply)}});
}

void edge::put_stream(store::stream_record record, reply_to<bool> reply) {
  ask_store<bool>(
    [record = std::move(record)](store::job_store& at) -> result<bool> {
      const auto done = at.put_stream(record);
      if (!done)
        return done.error();
      return true;
    },
    std::move(reply));
}

void edge::drop_stream(std::string id, reply_to<bool> reply) {
  ask_store<bool>(
    [id = std::move(id)](store::job_store& at) -> result<bool> {
      const auto done = at.drop_stream(id);
      if (!done)
        return done.error();
      return true;
    },
    std::move(reply));
}

void edge::get_stream(std::string id, reply_to<store::stream_record> reply) {
  ask_store<store::stream_record>(
    [id = std::move(id)](store::job_store& at) { return at.get_stream(id); },
    std::move(reply));
}

void edge::tell(event_batch events) {
  if (const auto to = contacts().hub)
    caf::anon_send(to, std::move(events));
}

std::unique_ptr<client_port>
edge::open_client(std::shared_ptr<client_sink> sink) {
  const auto now = contacts();
  if (now.hub && now.queue)
    return actors::open_client(sys_, now.hub, door_, std::move(sink),
                               settings_);
  sink->close(close_code::going_away, "events are not to be had now");
  return std::make_unique<closed_port>();
}

} // namespace troupe::actors
