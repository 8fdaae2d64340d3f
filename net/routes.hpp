#pragma once

#include "net/router.hpp"

/// The handlers of all routes; what each does stands in the API document.
namespace troupe::net {

using answering = boost::asio::awaitable<outcome>;

answering submit_job(edge& at, const request& req, const path_params& path);
answering open_stream(edge& at, const request& req, const path_params& path);
answering list_streams(edge& at, const request& req, const path_params& path);
answering show_stream(edge& at, const request& req, const path_params& path);
answering show_stream_health(edge& at, const request& req,
                             const path_params& path);
answering patch_stream(edge& at, const request& req, const path_params& path);
answering close_stream(edge& at, const request& req, const path_params& path);
/// `/s/{stream}/{file}`: the master playlist, the source itself.
answering send_stream_file(edge& at, const request& req,
                           const path_params& path);
/// `/s/{stream}/{rendition}/{file}`.
answering send_rendition_file(edge& at, const request& req,
                              const path_params& path);
answering list_jobs(edge& at, const request& req, const path_params& path);
answering show_job(edge& at, const request& req, const path_params& path);
answering purge_job(edge& at, const request& req, const path_params& path);
answering cancel_job(edge& at, const request& req, const path_params& path);
answering retry_job(edge& at, const request& req, const path_params& path);

answering pause_job(edge& at, const request& req, const path_params& path);
answering resume_job(edge& at, const request& req, const path_params& path);
answering submit_batch(edge& at, const request& req, const path_params& path);
answering act_on_jobs(edge& at, const request& req, const path_params& path);
answering show_batch(edge& at, const request& req, const path_params& path);
answering cancel_batch(edge& at, const request& req, const path_params& path);
answering show_job_log(edge& at, const request& req, const path_params& path);
answering patch_queue(edge& at, const request& req, const path_params& path);
answering pause_queue(edge& at, const request& req, const path_params& path);
answering resume_queue(edge& at, const request& req, const path_params& path);
answering show_limit(edge& at, const request& req, const path_params& path);
answering put_limit(edge& at, const request& req, const path_params& path);
answering list_schedules(edge& at, const request& req, const path_params& path);
answering show_schedule(edge& at, const request& req, const path_params& path);
answering put_schedule(edge& at, const request& req, const path_params& path);
answering drop_schedule(edge& at, const request& req, const path_params& path);
answering list_callbacks(edge& at, const request& req, const path_params& path);
answering retry_callback(edge& at, const request& req, const path_params& path);

answering list_queues(edge& at, const request& req, const path_params& path);
answering list_job_types(edge& at, const request& req, const path_params& path);
answering extract_url(edge& at, const request& req, const path_params& path);
answering probe_source(edge& at, const request& req, const path_params& path);

answering send_job_file(edge& at, const request& req, const path_params& path);

answering serve_image(edge& at, const request& req, const path_params& path);
answering make_image(edge& at, const request& req, const path_params& path);
answering purge_images(edge& at, const request& req, const path_params& path);
answering show_images(edge& at, const request& req, const path_params& path);

answering open_websocket(edge& at, const request& req, const path_params& path);
answering open_event_stream(edge& at, const request& req,
                            const path_params& path);

answering list_nodes(edge& at, const request& req, const path_params& path);
answering drain_node(edge& at, const request& req, const path_params& path);
answering list_alerts(edge& at, const request& req, const path_params& path);
answering show_system(edge& at, const request& req, const path_params& path);

answering show_health(edge& at, const request& req, const path_params& path);
answering show_readiness(edge& at, const request& req, const path_params& path);
answering show_metrics(edge& at, const request& req, const path_params& path);
answering show_openapi(edge& at, const request& req, const path_params& path);
answering show_asyncapi(edge& at, const request& req, const path_params& path);
answering show_docs(edge& at, const request& req, const path_params& path);
answering send_docs_part(edge& at, const request& req, const path_params& path);

} // namespace troupe::net
