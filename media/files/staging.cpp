#include "config/log.hpp"
#include "media/files/publish.hpp"

#include <system_error>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;

fs::path private_folder(const fs::path& library) {
  return library / ".troupe";
}

/// What cannot be removed costs space only; a later discard tries again.
void remove_tree(const fs::path& path) {
  std::error_code wrong;
  fs::remove_all(path, wrong);
  if (wrong)
    log::warn("a private folder stays",
              {{"path", path.string()}, {"error", wrong.message()}});
}

} // namespace

fs::path staging_folder(const fs::path& library, const std::string& id,
                        std::uint64_t epoch) {
  return private_folder(library) / (id + "." + std::to_string(epoch));
}

fs::path work_folder(const fs::path& library, const std::string& id) {
  return private_folder(library) / (id + ".work");
}

void discard_staging(const fs::path& library, const std::string& id,
                     std::uint64_t epoch) {
  remove_tree(staging_folder(library, id, epoch));
}

void discard_job(const fs::path& library, const std::string& id) {
  std::error_code wrong;
  const auto prefix = id + ".";
  std::vector<fs::path> found;
  for (fs::directory_iterator at{private_folder(library), wrong}, end;
       !wrong && at != end; at.increment(wrong))
    if (at->path().filename().string().starts_with(prefix))
      found.push_back(at->path());
  for (const auto& path : found)
    remove_tree(path);
}

} // namespace troupe::media
