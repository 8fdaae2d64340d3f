#include "net/routes.hpp"

#include <array>

namespace troupe::net {

namespace {

using enum verb;

/// What is asked for most stands first.
constexpr std::array routes{
  route{post, "/v1/jobs", submit_job},
  route{get, "/v1/jobs", list_jobs, query_use::read},
  route{get, "/v1/jobs/{id}", show_job},
  route{del, "/v1/jobs/{id}", purge_job},
  route{post, "/v1/jobs/{id}/cancel", cancel_job},
  route{post, "/v1/jobs/{id}/retry", retry_job},
  route{post, "/v1/jobs/batch", submit_batch, query_use::none, max_batch_bytes},
  route{post, "/v1/jobs/actions", act_on_jobs},
  route{post, "/v1/jobs/{id}/pause", pause_job},
  route{post, "/v1/jobs/{id}/resume", resume_job},
  route{get, "/v1/jobs/{id}/log", show_job_log, query_use::read},
  route{get, "/v1/jobs/{id}/files/{name}", send_job_file},
  route{get, "/v1/batches/{id}", show_batch},
  route{post, "/v1/batches/{id}/cancel", cancel_batch},
  route{get, "/v1/queues", list_queues},
  route{patch, "/v1/queues/{name}", patch_queue},
  route{post, "/v1/queues/{name}/pause", pause_queue},
  route{post, "/v1/queues/{name}/resume", resume_queue},
  route{get, "/v1/limits/{key}", show_limit},
  route{put, "/v1/limits/{key}", put_limit},
  route{get, "/v1/schedules", list_schedules, query_use::read},
  route{get, "/v1/schedules/{name}", show_schedule},
  route{put, "/v1/schedules/{name}", put_schedule},
  route{del, "/v1/schedules/{name}", drop_schedule},
  route{get, "/v1/callbacks", list_callbacks, query_use::read},
  route{post, "/v1/callbacks/{id}/retry", retry_callback},
  route{get, "/v1/job-types", list_job_types},
  route{post, "/v1/extract", extract_url},
  route{get, "/v1/probe", probe_source, query_use::read},
  route{post, "/v1/images", make_image, query_use::read, any_bytes,
        body_form::upload},
  route{post, "/v1/images/purge", purge_images},
  route{get, "/v1/images/stats", show_images},
  route{post, "/v1/streams", open_stream},
  route{get, "/v1/streams", list_streams, query_use::read},
  route{get, "/v1/streams/{id}", show_stream},
  route{patch, "/v1/streams/{id}", patch_stream},
  route{del, "/v1/streams/{id}", close_stream},
  route{get, "/v1/streams/{id}/health", show_stream_health},
  route{get, "/s/{stream}/{rendition}/{file}", send_rendition_file,
        query_use::read},
  route{get, "/s/{stream}/{file}", send_stream_file, query_use::read},
  route{get, "/v1/ws", open_websocket},
  route{get, "/v1/events", open_event_stream, query_use::read},
  route{get, "/v1/nodes", list_nodes},
  route{post, "/v1/nodes/{id}/drain", drain_node},
  route{get, "/v1/alerts", list_alerts},
  route{get, "/v1/system", show_system},
  route{get, "/healthz", show_health},
  route{get, "/readyz", show_readiness},
  route{get, "/metrics", show_metrics},
  route{get, "/openapi.json", show_openapi},
  route{get, "/asyncapi.json", show_asyncapi},
  route{get, "/docs", show_docs},
  route{get, "/docs/{name}", send_docs_part},
  route{get, "/img/{signature}/{image}", serve_image, query_use::read},
};

} // namespace

std::span<const route> all_routes() noexcept {
  return routes;
}

const route& image_route() noexcept {
  return routes.back();
}

} // namespace troupe::net
