#include "net/batch_reader.hpp"
#include "net/control_reader.hpp"
#include "net/stream_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace troupe;

/// What is refused is told; what is taken is whole.
template <class T>
const T* taken(const std::variant<T, net::problem>& read) {
  const auto* what = std::get_if<net::problem>(&read);
  if (what && net::to_json(*what).empty())
    std::abort();
  return std::get_if<T>(&read);
}

void check_batch(const net::batch_request& batch) {
  if (batch.jobs.empty() || batch.jobs.size() > net::max_batch)
    std::abort();
  for (const auto& job : batch.jobs) {
    if (job.id.empty() || job.type.empty()
        || job.params.find("{{job:#0") != job.params.npos)
      std::abort();
    for (const auto& parent : job.depends_on)
      if (parent.empty() || parent.front() == '#' || parent == job.id)
        std::abort();
  }
}

} // namespace

/// Whatever comes in, nothing unresolved goes on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const config::source_settings sources;
  static const media::address_guard guard{sources};
  static const net::batch_reader batches{guard};
  static const net::schedule_reader schedules{guard};
  if (size == 0)
    return 0;
  const std::string_view body{reinterpret_cast<const char*>(data + 1),
                              size - 1};

  int last = 0;
  switch (data[0] < 0x80 ? data[0] % 4 : 4 + data[0] % 3) {
  case 0: {
    const auto read =
      batches.read(body, [&last] { return "id" + std::to_string(last++); });
    if (const auto* batch = taken(read))
      check_batch(*batch);
    break;
  }
  case 1: {
    const auto read = schedules.read(body);
    if (const auto* schedule = taken(read);
        schedule && (schedule->cron.empty() || schedule->job.type.empty()))
      std::abort();
    break;
  }
  case 2:
    taken(net::read_action(body));
    break;
  case 3:
    taken(net::read_limits(body));
    break;
  case 4: {
    const auto read = net::read_stream_wish(body, guard);
    if (const auto* wish = taken(read); wish && wish->source.empty())
      std::abort();
    break;
  }
  case 5:
    taken(net::read_stream_change(body));
    break;
  default:
    if (net::read_stream_name(body) && body.find('.') == body.npos)
      std::abort();
    static_cast<void>(net::read_rendition_file(body));
  }
  return 0;
}
