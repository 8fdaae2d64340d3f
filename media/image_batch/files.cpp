#include "media/image_batch/files.hpp"

#include "media/errc.hpp"
#include "media/files/library_root.hpp"
#include "media/files/publish.hpp"
#include "media/files/sync.hpp"
#include "media/probe/local_path.hpp"

#include <boost/url/encode.hpp>
#include <boost/url/pct_string_view.hpp>
#include <boost/url/rfc/pchars.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>

#include <algorithm>
#include <fstream>
#include <memory>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_sources = 1'000'000;

std::string decoded(std::string_view text) {
  const auto encoded = boost::urls::make_pct_string_view(text);
  return encoded ? encoded->decode() : std::string{text};
}

std::string encoded(std::string_view name) {
  return boost::urls::encode(name, boost::urls::pchars);
}

std::vector<std::string> names_in(descriptor folder, const std::string& glob) {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> open{::fdopendir(folder.get()),
                                                 ::closedir};
  if (!open)
    return out;
  static_cast<void>(folder.release());
  while (const auto* entry = ::readdir(open.get())) {
    const bool file = entry->d_type == DT_REG || entry->d_type == DT_LNK
                      || entry->d_type == DT_UNKNOWN;
    if (file && ::fnmatch(glob.c_str(), entry->d_name, FNM_PERIOD) == 0
        && out.size() < most_sources)
      out.emplace_back(entry->d_name);
  }
  std::ranges::sort(out);
  return out;
}

result<std::vector<std::string>>
list_folder(const batch_params& params,
            const config::library_settings& library) {
  auto folder = params.folder;
  while (folder.size() > local_scheme.size() && folder.back() == '/')
    folder.pop_back();
  const auto path = local_folder_of(folder);
  if (!path)
    return fail(errc::bad_params, "the folder " + path.error().detail);
  for (const auto& each : library.media_roots) {
    const auto root = library_root::open(each);
    if (!root)
      continue;
    auto found = root->folder(*path);
    if (!found)
      return found.error();
    if (!*found)
      continue;
    const auto prefix = folder == local_scheme ? folder : folder + '/';
    std::vector<std::string> out;
    for (const auto& name :
         names_in(std::move(*found), decoded(params.pattern)))
      out.push_back(prefix + encoded(name));
    return out;
  }
  return fail(errc::source_not_found,
              folder + " is beneath none of the media roots");
}

/// False with errno.
bool write_all(const descriptor& to, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto done = ::write(to.get(), bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

} // namespace

result<std::vector<std::string>>
list_sources(const batch_params& params, const fs::path& work,
             const config::library_settings& library) {
  if (!params.sources.empty())
    return params.sources;
  const auto file = work / "sources";
  std::vector<std::string> out;
  if (std::ifstream known{file}) {
    for (std::string line; std::getline(known, line);)
      out.push_back(line);
    return out;
  }
  auto listed = list_folder(params, library);
  if (!listed)
    return listed;
  std::string text;
  for (const auto& each : *listed)
    text += each + '\n';
  std::error_code error;
  fs::create_directories(work, error);
  // They were of the list that is gone.
  fs::remove(work / "lines", error);
  if (const auto kept = write_file_synced(file, text); !kept)
    return kept.error();
  return listed;
}

result<std::vector<std::string>> known_lines(const fs::path& work,
                                             std::size_t count) {
  std::vector<std::string> out;
  std::string text;
  std::ifstream file{work / "lines"};
  for (std::string line; out.size() < count && std::getline(file, line);) {
    out.push_back(line + '\n');
    text += out.back();
  }
  if (out.size() < count) {
    out.clear();
    text.clear();
  }
  std::error_code error;
  fs::create_directories(work, error);
  if (const auto kept = write_file_synced(work / "lines", text); !kept)
    return kept.error();
  return out;
}

result<void> add_lines(const fs::path& work, std::string_view lines) {
  std::error_code error;
  fs::create_directories(work, error);
  const descriptor to{::open((work / "lines").c_str(),
                             O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
  if (!to || !write_all(to, lines))
    return file_failure(work / "lines");
  return {};
}

result<void> write_whole(const fs::path& file, std::string_view bytes) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  auto fresh = file;
  fresh.replace_filename("." + file.filename().string() + ".new");
  const descriptor to{
    ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
           0644)};
  if (!to)
    return file_failure(fresh);
  if (!write_all(to, bytes)) {
    const auto why = file_failure(fresh);
    ::unlink(fresh.c_str());
    return why;
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0)
    return file_failure(file);
  return {};
}

void discard_batch(const fs::path& library, const std::string& id) {
  const auto folder = library / "images" / id;
  std::error_code error;
  if (!fs::exists(folder, error) || fs::exists(folder / batch_index, error))
    return;
  // At once, so that nothing is lost of what another attempt makes.
  const auto gone = work_folder(library, id).replace_extension("images");
  fs::create_directories(gone.parent_path(), error);
  fs::remove_all(gone, error);
  fs::rename(folder, gone, error);
  fs::remove_all(gone, error);
}

result<void> sync_all(const fs::path& folder) {
  const descriptor at{::open(folder.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!at || ::syncfs(at.get()) != 0)
    return file_failure(folder);
  return {};
}

} // namespace troupe::media
