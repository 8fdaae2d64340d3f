#include "config/log.hpp"
#include "media/files/publish.hpp"
#include "media/files/sync.hpp"

#include <fstream>
#include <random>
#include <string>
#include <system_error>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t id_digits = 32;

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

std::string known_library_id(const fs::path& library) {
  std::ifstream in{private_folder(library) / "library"};
  std::string text;
  in >> text;
  return text.size() == id_digits ? text : std::string{};
}

/// When two make it at once the last one stays; what the other has staged by
/// then belongs to no known library, which only means that it is waited for.
std::string library_id(const fs::path& library) {
  if (auto known = known_library_id(library); !known.empty())
    return known;
  std::random_device random;
  std::string text;
  while (text.size() < id_digits)
    text += "0123456789abcdef"[random() % 16];
  std::error_code wrong; // writing tells of it
  fs::create_directories(private_folder(library), wrong);
  const auto made =
    write_file_synced(private_folder(library) / "library", text + "\n");
  if (!made)
    log::warn("a library gets no name", {{"error", made.error().message()}});
  return known_library_id(library);
}

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
