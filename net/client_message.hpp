#pragma once

#include "actors/gateway.hpp"
#include "net/problem.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What a WebSocket client says; see "Events" in the API document.
namespace troupe::net {

struct subscribe_message {
  std::vector<actors::topic_request> topics; ///< names are not checked
};

struct unsubscribe_message {
  std::vector<std::string> topics;
};

struct ping_message {};

/// `method` is one of those in the document; `params` are JSON as it was sent,
/// an object.
struct request_message {
  enum class method : std::uint8_t { submit, cancel, get, list };
  enum method method = method::get;
  std::string params;
};

/// One message. `id` is JSON (a number or a string), to be echoed; empty if
/// the client gave none.
struct client_message {
  std::string id;
  std::variant<subscribe_message, unsubscribe_message, ping_message,
               request_message>
    what;
};

/// Why a message was not understood, and whose it was as far as that is known.
struct client_fault {
  std::string id;
  problem what;
};

/// Reads messages; keeps the parser's memory, so one is made per thread.
class client_message_reader {
public:
  client_message_reader();
  ~client_message_reader();
  client_message_reader(const client_message_reader&) = delete;
  client_message_reader& operator=(const client_message_reader&) = delete;

  [[nodiscard]] std::variant<client_message, client_fault>
  read(std::string_view text);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Reads `params` of a request for one job: `{"id": …}`.
[[nodiscard]] std::variant<std::string, problem>
read_job_id(std::string_view params);

/// Reads `params` of `list`: what the query of `GET /v1/jobs` takes.
[[nodiscard]] std::variant<store::list_query, problem>
read_list_query(std::string_view params);

} // namespace troupe::net
