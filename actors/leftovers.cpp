#include "actors/leftovers.hpp"

#include "config/log.hpp"
#include "media/files/leftovers.hpp"
#include "media/files/publish.hpp"
#include "media/image_batch/files.hpp"

namespace troupe::actors {

result<std::size_t> remove_leftovers(store::job_store& store,
                                     const std::filesystem::path& library,
                                     leftover_ages ages) {
  using file_clock = std::filesystem::file_time_type::clock;
  std::size_t removed = 0;
  for (const auto& left : media::find_leftovers(library)) {
    const auto age = file_clock::now() - left.touched;
    if (age < ages.ended)
      continue;
    const auto job = store.get(left.job);
    if (!job && job.error().code != store::errc::not_found)
      return job.error();
    if (job ? !store::is_terminal(job->state) : age < ages.unknown)
      continue;
    media::discard_batch(library, left.job);
    media::discard_job(library, left.job);
    log::info("what a dead server left of a job is removed",
              {{"job", left.job}});
    ++removed;
  }
  return removed;
}

} // namespace troupe::actors
