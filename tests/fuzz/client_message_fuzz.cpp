#include "net/client_message.hpp"

#include <cstdlib>

namespace {

using namespace troupe::net;

/// A message that was read can be written into an answer: its id is JSON
/// without line breaks, and what it holds is within the limits.
void check(const client_message& message) {
  if (message.id.find('\n') != std::string::npos)
    std::abort();
  if (const auto* asked = std::get_if<subscribe_message>(&message.what))
    if (asked->topics.empty()
        || asked->topics.size() > troupe::actors::client_port::max_topics)
      std::abort();
  if (const auto* asked = std::get_if<request_message>(&message.what)) {
    (void)read_job_id(asked->params);
    (void)read_list_query(asked->params);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data,
                                      std::size_t size) {
  static client_message_reader reader;
  const auto read = reader.read({reinterpret_cast<const char*>(data), size});
  if (const auto* message = std::get_if<client_message>(&read))
    check(*message);
  return 0;
}
