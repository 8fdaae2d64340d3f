#include "net/routes.hpp"

#include <array>

namespace troupe::net {

std::span<const route> all_routes() noexcept {
  using enum verb;
  // What is asked for most stands first.
  static constexpr std::array routes{
    route{post, "/v1/jobs", submit_job},
    route{get, "/v1/jobs", list_jobs},
    route{get, "/v1/jobs/{id}", show_job},
    route{del, "/v1/jobs/{id}", purge_job},
    route{post, "/v1/jobs/{id}/cancel", cancel_job},
    route{post, "/v1/jobs/{id}/retry", retry_job},
    route{get, "/v1/jobs/{id}/files/{name}", send_job_file},
    route{get, "/v1/queues", list_queues},
    route{get, "/v1/job-types", list_job_types},
    route{post, "/v1/extract", extract_url},
    route{get, "/v1/ws", open_websocket},
    route{get, "/v1/events", open_event_stream},
    route{get, "/healthz", show_health},
    route{get, "/readyz", show_readiness},
    route{get, "/metrics", show_metrics},
    route{get, "/openapi.json", show_openapi},
  };
  return routes;
}

} // namespace troupe::net
