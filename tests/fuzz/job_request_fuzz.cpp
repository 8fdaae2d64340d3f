#include "net/job_submit.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

/// Whatever comes in, a job that is taken is one that the contract allows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace troupe;
  static const config::source_settings sources;
  static const media::address_guard guard{sources};
  static net::submit_reader reader{guard};
  const std::string_view body{reinterpret_cast<const char*>(data), size};

  const auto read = reader.read(body, size % 2 == 0);
  if (const auto* what = std::get_if<net::problem>(&read)) {
    if (net::to_json(*what).empty())
      std::abort();
    return 0;
  }
  const auto& draft = std::get<net::submit_request>(read).draft;
  if (draft.type.empty() || draft.queue.empty() || draft.priority < 0
      || draft.priority > 9 || draft.max_attempts == 0
      || !draft.params.starts_with('{'))
    std::abort();
  return 0;
}
