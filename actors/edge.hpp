#pragma once

#include "actors/answer.hpp"
#include "actors/gateway.hpp"
#include "actors/image_desk.hpp"
#include "actors/queue_door.hpp"
#include "actors/root.hpp"
#include "actors/stream_desk.hpp"
#include "config/settings.hpp"

#include <caf/actor_system.hpp>

#include <mutex>

namespace troupe::actors {

/// The gateway into a running actor system. A call is one message; its answer
/// comes back by the callback inside it (see `answer`).
/// Invariant: `contacts_` and the door's queue are the root's newest, all null
/// once it ends, so that nothing here keeps an actor.
class edge final : public gateway, public image_desk, public stream_desk {
public:
  edge(caf::actor_system& sys, config::event_settings settings,
       std::uint32_t max_in_flight)
    : sys_(sys), settings_(settings),
      door_(std::make_shared<queue_door>(queue_actor{}, max_in_flight)) {}

  void meet(edge_contacts contacts);

  void submit(store::submit_op op, reply_to<submit_reply> reply) override;
  void command(job_command_kind kind, std::string id,
               reply_to<store::job> reply) override;
  void get(std::string id, reply_to<store::job> reply) override;
  void list(store::list_query query, reply_to<store::job_page> reply) override;
  void depths(reply_to<std::vector<store::queue_depth>> reply) override;
  void queues(reply_to<std::vector<store::queue_info>> reply) override;
  void log(std::string id, reply_to<log_reply> reply) override;
  void submit_batch(store::batch_draft draft,
                    std::vector<store::job_draft> jobs, store::idempotency key,
                    reply_to<store::batch_submitted> reply) override;
  void batch(std::string id, reply_to<store::batch> reply) override;
  void bulk(store::bulk_request request,
            reply_to<store::bulk_result> reply) override;
  void change(store::operation op, reply_to<store::applied> reply) override;
  void schedules(reply_to<std::vector<store::schedule>> reply) override;
  void schedule(std::string name, reply_to<store::schedule> reply) override;
  void limit(std::string key, reply_to<store::key_limit> reply) override;
  void dead_callbacks(std::string after, std::uint32_t max,
                      reply_to<std::vector<store::callback>> reply) override;
  void retry_callback(std::string id, reply_to<bool> reply) override;
  void extract(std::string url, reply_to<extract_reply> reply) override;
  void nodes(reply_to<nodes_reply> reply) override;
  void figures(reply_to<hub_figures> reply) override;
  std::unique_ptr<client_port>
  open_client(std::shared_ptr<client_sink> sink) override;
  void make(image_ask ask, reply_to<image_reply> reply) override;
  void crew(reply_to<crew_figures> reply) override;
  void open_stream(stream_ask ask, reply_to<stream_view> reply) override;
  void list_streams(reply_to<std::vector<stream_view>> reply) override;
  void show_stream(std::string id, reply_to<stream_view> reply) override;
  void change_stream(std::string id, stream_change what,
                     reply_to<stream_view> reply) override;
  void close_stream(std::string id, reply_to<stream_view> reply) override;
  void stream_part(stream_file_ask ask,
                   reply_to<stream_file_reply> reply) override;
  void open_direct(std::string id, reply_to<stream_direct> reply) override;
  void plan_course(std::string id, double start_s,
                   reply_to<stream_course> reply) override;

  // For the actors of streams.
  void put_stream(store::stream_record record, reply_to<bool> reply);
  void drop_stream(std::string id, reply_to<bool> reply);
  void get_stream(std::string id, reply_to<store::stream_record> reply);
  void tell(event_batch events);

private:
  edge_contacts contacts();
  template <class Request>
  void tell_queue(Request request);
  template <class T, class Request>
  void ask_queue(Request request, reply_to<T> reply);
  template <class Request>
  void tell_streams(Request request);
  template <class T, class Ask>
  void ask_store(Ask ask, reply_to<T> reply);

  caf::actor_system& sys_;
  config::event_settings settings_;
  std::shared_ptr<queue_door> door_; ///< when it is full, asks are refused
  std::mutex mutex_;
  edge_contacts contacts_;
};

} // namespace troupe::actors
