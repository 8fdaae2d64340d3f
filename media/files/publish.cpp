#include "media/files/publish.hpp"

#include "config/fault_points.hpp"
#include "media/files/free_name.hpp"
#include "media/files/library_root.hpp"
#include "media/files/place.hpp"
#include "media/files/sync.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr unsigned last_number = 9999;

/// One file of the manifest and what was found about it.
struct entry {
  staged_file file;
  fs::path folder;  ///< relative to the library
  std::string name; ///< in that folder
  occupant there = occupant::nobody;
  bool is_staged = false;
  bool is_left_out = false; ///< what stands at its name does instead

  /// Its name must be another.
  [[nodiscard]] bool is_taken() const {
    if (is_left_out)
      return false;
    return there == occupant::folder
           || (there == occupant::foreign && !file.replace);
  }
};

/// The library that a staged file belongs to: what is before `.troupe`.
fs::path library_of(const staged_file& file) {
  const auto at = file.staged.rfind("/.troupe/");
  if (at == std::string::npos)
    return {};
  return file.staged.substr(0, at);
}

/// A staged file must be what was committed, byte count and kind; synced here
/// once more, since nothing later asks.
result<bool> check_staged(const staged_file& file) {
  const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  const descriptor staged{::open(file.staged.c_str(), flags)};
  if (!staged && errno == ENOENT)
    return false;
  struct stat facts {};
  if (!staged || ::fstat(staged.get(), &facts) != 0)
    return file_failure(file.staged);
  if (!S_ISREG(facts.st_mode) || facts.st_size != file.size)
    return fail(errc::io_error, file.staged + ": is not what was committed");
  if (::fsync(staged.get()) != 0)
    return file_failure(file.staged);
  return true;
}

/// In another library, or one that is not mounted, it cannot be expected.
failure gone(const staged_file& file) {
  const bool is_home =
    !file.library.empty() && known_library_id(library_of(file)) == file.library;
  return fail(is_home ? errc::result_lost : errc::io_error,
              file.staged + ": is gone, and not published");
}

class publication {
public:
  publication(library_root root, fs::path library)
    : root_(std::move(root)), library_(std::move(library)) {}

  result<void> look(const std::vector<staged_file>& manifest);
  /// Where the main file stands already, by an earlier job or before a crash,
  /// what lies beside it is its own: none of ours is put there by another name.
  void leave_out_taken();
  [[nodiscard]] bool any_taken() const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [](const entry& one) { return one.is_taken(); });
  }
  /// Stops at the first name that was taken meanwhile; `any_taken` then.
  result<void> place_all();
  result<std::vector<staged_file>> renamed() const;

private:
  result<entry> examine(const staged_file& file) const;
  result<void> place(entry& one) const;
  std::set<std::size_t> group_to_rename() const;
  result<bool> is_free(const fs::path& folder, const std::string& name) const;

  library_root root_;
  fs::path library_;
  std::vector<entry> entries_;
};

result<entry> publication::examine(const staged_file& file) const {
  const auto relative =
    fs::path{file.final_path}.lexically_normal().lexically_relative(library_);
  if (relative.empty() || *relative.begin() == ".."
      || *relative.begin() == ".troupe" || !relative.has_filename())
    return fail(errc::io_error, file.final_path + ": is not in the library");
  entry one{file,
            relative.parent_path(),
            relative.filename().string(),
            occupant::nobody,
            false,
            false};
  const auto staged = check_staged(file);
  if (!staged)
    return staged.error();
  one.is_staged = *staged;
  const auto folder = root_.folder(one.folder);
  if (!folder)
    return folder.error();
  const auto there = occupant_of(folder->get(), one.name, file);
  if (!there)
    return there.error();
  one.there = *there;
  if (!one.is_staged && one.there != occupant::ours)
    return gone(file);
  return one;
}

result<void> publication::look(const std::vector<staged_file>& manifest) {
  for (const auto& file : manifest) {
    auto one = examine(file);
    if (!one)
      return one.error();
    entries_.push_back(std::move(*one));
  }
  return {};
}

void publication::leave_out_taken() {
  if (entries_.back().there != occupant::ours)
    return;
  for (auto& one : entries_)
    one.is_left_out = one.is_taken();
}

result<void> publication::place(entry& one) const {
  if (one.is_left_out)
    return {};
  const auto folder = root_.made_folder(one.folder);
  if (!folder)
    return folder.error();
  if (one.there != occupant::ours && one.file.replace) {
    if (auto placed = place_over(folder->get(), one.name, one.file); !placed)
      return placed;
    one.there = occupant::ours;
  } else if (one.there != occupant::ours) {
    const auto there = place_new(folder->get(), one.name, one.file);
    if (!there)
      return there.error();
    if (*there == occupant::nobody)
      return fail(errc::io_error, one.file.final_path + ": came and went");
    one.there = *there;
  }
  TROUPE_FAULT_POINT(linked);
  if (::fsync(folder->get()) != 0)
    return file_failure(one.file.final_path);
  return {};
}

result<void> publication::place_all() {
  for (auto& one : entries_) {
    if (auto placed = place(one); !placed)
      return placed;
    if (one.is_taken())
      break;
  }
  return {};
}

/// All files that share the main file's stem, so that a subtitle keeps its
/// film; those alone that are taken if some stand at their names already.
std::set<std::size_t> publication::group_to_rename() const {
  const auto& main = entries_.back();
  const auto stem = stem_of(main.name) + ".";
  const bool begun =
    std::any_of(entries_.begin(), entries_.end(),
                [](const entry& one) { return one.there == occupant::ours; });
  std::set<std::size_t> group;
  for (std::size_t at = 0; at < entries_.size(); ++at) {
    const auto& one = entries_[at];
    const bool kin = one.folder == main.folder && one.name.starts_with(stem);
    if (one.is_taken() || (kin && !begun))
      group.insert(at);
  }
  return group;
}

result<bool> publication::is_free(const fs::path& folder,
                                  const std::string& name) const {
  const auto opened = root_.folder(folder);
  if (!opened)
    return opened.error();
  struct stat facts {};
  return !*opened
         || ::fstatat(opened->get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW)
              != 0;
}

result<std::vector<staged_file>> publication::renamed() const {
  const auto group = group_to_rename();
  const auto stem = stem_of(entries_.back().name);
  for (unsigned number = 2; number <= last_number; ++number) {
    std::vector<staged_file> manifest;
    std::set<std::string> names;
    bool all_free = true;
    for (std::size_t at = 0; all_free && at < entries_.size(); ++at) {
      const auto& one = entries_[at];
      auto file = one.file;
      if (group.contains(at)) {
        const auto name = numbered(one.name, stem, number);
        const auto open = is_free(one.folder, name);
        if (!open)
          return open.error();
        all_free = *open;
        file.final_path = (library_ / one.folder / name).string();
      }
      all_free = all_free && names.insert(file.final_path).second;
      manifest.push_back(std::move(file));
    }
    if (all_free)
      return manifest;
  }
  return fail(errc::io_error,
              entries_.back().file.final_path + ": no free name left");
}

using renaming = std::map<std::string, std::string, std::less<>>;

void follow(json::value& value, const renaming& names) {
  if (auto* text = value.if_string()) {
    const auto found = names.find(std::string_view{*text});
    if (found != names.end())
      *text = found->second;
  } else if (auto* array = value.if_array()) {
    for (auto& item : *array)
      follow(item, names);
  } else if (auto* object = value.if_object()) {
    for (auto& field : *object)
      follow(field.value(), names);
  }
}

/// The result, with each old final path exchanged for the new one.
result<std::string> follow_names(const std::string& text,
                                 const std::vector<staged_file>& from,
                                 const std::vector<staged_file>& to) {
  boost::system::error_code wrong;
  auto value = json::parse(text, wrong);
  if (wrong)
    return fail(errc::internal, "a result that is no JSON");
  renaming names;
  for (std::size_t at = 0; at < from.size(); ++at)
    names[from[at].final_path] = to[at].final_path;
  follow(value, names);
  return json::serialize(value);
}

} // namespace

result<publish_outcome> publish(std::string result_json,
                                const std::vector<staged_file>& manifest) {
  if (manifest.empty())
    return publish_outcome{std::move(result_json), {}};
  const auto library = library_of(manifest.back());
  if (library.empty())
    return fail(errc::io_error, manifest.back().staged + ": is not staged");
  auto root = library_root::open(library);
  if (!root)
    return root.error();
  publication work{std::move(*root), library.lexically_normal()};
  if (auto looked = work.look(manifest); !looked)
    return looked.error();
  work.leave_out_taken();
  if (!work.any_taken()) {
    if (auto placed = work.place_all(); !placed)
      return placed.error();
  }
  if (!work.any_taken())
    return publish_outcome{std::move(result_json), {}};
  auto renamed = work.renamed();
  if (!renamed)
    return renamed.error();
  auto text = follow_names(result_json, manifest, *renamed);
  if (!text)
    return text.error();
  return publish_outcome{std::move(*text), std::move(*renamed)};
}

} // namespace troupe::media
