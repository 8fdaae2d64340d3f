#include "media/probe/local_source.hpp"

#include "media/download/json_read.hpp"
#include "media/errc.hpp"
#include "media/files/library_root.hpp"
#include "media/probe/local_path.hpp"
#include "media/probe/source_file.hpp"

#include <string>

namespace troupe::media {

namespace fs = std::filesystem;

result<descriptor> open_local_source(std::string_view source,
                                     std::span<const fs::path> roots) {
  const auto path = local_path_of(source);
  if (!path)
    return fail(errc::bad_params, "the source " + path.error().detail);
  for (const auto& each : roots) {
    const auto root = library_root::open(each);
    if (!root)
      continue;
    auto file = root->file(*path);
    if (!file)
      return file.error();
    if (*file)
      return checked_media_file(std::move(*file));
  }
  return fail(errc::source_not_found,
              path->string() + " is beneath none of the media roots");
}

result<descriptor> open_result_source(std::string_view result_json,
                                      const fs::path& library) {
  const auto told = parse_object(result_json);
  const auto text = told ? text_of(*told, "path") : std::string{};
  if (text.empty() || text.find('\0') != text.npos)
    return fail(errc::source_not_found, "that job has made no file");
  const auto path = fs::path{text}.lexically_relative(library);
  if (path.empty() || path.is_absolute() || *path.begin() == "..")
    return fail(errc::source_forbidden, text + " lies outside the library");
  const auto root = library_root::open(library);
  if (!root)
    return root.error();
  auto file = root->file(path);
  if (!file)
    return file.error();
  if (!*file)
    return fail(errc::source_not_found, text + " is not there any more");
  return checked_media_file(std::move(*file));
}

} // namespace troupe::media
