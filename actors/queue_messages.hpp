#pragma once

#include "actors/answer.hpp"
#include "actors/gateway.hpp"
#include "actors/store/job_store.hpp"
#include "actors/store/queue_info.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

/// What the queue is asked by those who work on no job. Append only.
namespace troupe::actors {

struct submit_request {
  store::submit_op op;
  answer<submit_reply> reply;
};

struct job_command {
  job_command_kind kind = job_command_kind::cancel;
  std::string id;
  answer<store::job> reply;
};

struct get_request {
  std::string id;
  answer<store::job> reply;
};

struct list_request {
  store::list_query query;
  answer<store::job_page> reply;
};

struct depths_request {
  answer<std::vector<store::queue_depth>> reply;
};

struct queues_request {
  answer<std::vector<store::queue_info>> reply;
};

/// A question that only the store can answer, and that changes no job.
struct store_call {
  /// Called once, with null while the store is away; gives its own answer.
  /// @return why the store did not answer, if so
  std::function<std::optional<failure>(store::job_store*)> run;
};

/// Changes a queue, a limit or a schedule: any operation that needs no lease.
struct change_call {
  store::operation op;
  answer<store::applied> reply;
};

struct batch_call {
  store::batch_draft draft;
  std::vector<store::job_draft> jobs;
  struct store::idempotency key;
  answer<store::batch_submitted> reply;
};

struct batch_request {
  std::string id;
  answer<store::batch> reply;
};

struct bulk_call {
  store::bulk_request request;
  answer<store::bulk_result> reply;
};

struct log_call {
  std::string id;
  answer<log_reply> reply;
};

// -- nodes --------------------------------------------------------------------

struct nodes_request {
  answer<nodes_reply> reply;
};

// -- callbacks ----------------------------------------------------------------

/// There may be callbacks to deliver.
struct callbacks_due {};

/// Asks for callbacks that are due.
struct take_callbacks {
  std::uint32_t max = 1;
};

struct callback_batch {
  std::vector<store::callback> due;
};

// -- extract ------------------------------------------------------------------

struct extract_request {
  std::string url;
  answer<extract_reply> reply;
};

} // namespace troupe::actors
