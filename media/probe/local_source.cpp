#include "media/probe/local_source.hpp"

#include "media/download/json_read.hpp"
#include "media/errc.hpp"
#include "media/files/library_root.hpp"
#include "media/probe/source_file.hpp"

#include <boost/url/pct_string_view.hpp>

#include <algorithm>
#include <string>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view scheme = "local:///";

/// The path below a root; nothing if it could mean another place.
result<fs::path> path_of(std::string_view source) {
  const auto wrong = fail(errc::bad_params, "no local:///path of a file");
  if (!source.starts_with(scheme))
    return wrong;
  const auto encoded =
    boost::urls::make_pct_string_view(source.substr(scheme.size()));
  if (encoded.has_error())
    return wrong;
  const std::string text = encoded->decode();
  const fs::path path{text};
  const bool plain = text.find('\0') == text.npos && path.is_relative()
                     && path.has_filename()
                     && std::ranges::find(path, fs::path{".."}) == path.end();
  if (!plain)
    return wrong;
  return path;
}

} // namespace

result<descriptor> open_local_source(std::string_view source,
                                     std::span<const fs::path> roots) {
  const auto path = path_of(source);
  if (!path)
    return path.error();
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
  return fail(errc::source_not_found, path->string());
}

result<descriptor> open_result_source(std::string_view result_json,
                                      const fs::path& library) {
  const auto told = parse_object(result_json);
  const auto text = told ? text_of(*told, "path") : std::string{};
  if (text.empty() || text.find('\0') != text.npos)
    return fail(errc::source_not_found, "that job has made no file");
  const auto path = fs::path{text}.lexically_relative(library);
  if (path.empty() || path.is_absolute() || *path.begin() == "..")
    return fail(errc::source_forbidden, text);
  const auto root = library_root::open(library);
  if (!root)
    return root.error();
  auto file = root->file(path);
  if (!file)
    return file.error();
  if (!*file)
    return fail(errc::source_not_found, text);
  return checked_media_file(std::move(*file));
}

} // namespace troupe::media
