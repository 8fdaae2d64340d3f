#pragma once

#include "actors/store/job_store.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>

namespace troupe::actors {

/// How long private folders lie untouched before they count as left behind.
struct leftover_ages {
  /// Their job has ended: its server had time to remove them.
  std::chrono::milliseconds ended = std::chrono::minutes{10};
  /// The store knows no such job: it may be the job of a server with another
  /// store and the same library.
  std::chrono::milliseconds unknown = std::chrono::hours{24};
};

/// Removes the private folders that servers left in the library when they died
/// between the end of a job and its last act. A job that has not ended keeps
/// all that it has. Blocks.
/// @return how many jobs' folders went; an error if the store did not answer.
result<std::size_t> remove_leftovers(store::job_store& store,
                                     const std::filesystem::path& library,
                                     leftover_ages ages = {});

} // namespace troupe::actors
