#include "media/probe/local_path.hpp"

#include "media/errc.hpp"

#include <boost/url/pct_string_view.hpp>

#include <algorithm>
#include <string>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;

failure not_local(std::string what) {
  return fail(errc::bad_params, std::move(what));
}

} // namespace

result<fs::path> local_folder_of(std::string_view source) {
  if (!source.starts_with(local_scheme))
    return not_local("must begin with local:///");
  auto rest = source.substr(local_scheme.size());
  while (rest.ends_with('/'))
    rest.remove_suffix(1);
  const auto encoded = boost::urls::make_pct_string_view(rest);
  if (encoded.has_error())
    return not_local("must be percent-encoded");
  const std::string text = encoded->decode();
  if (text.find('\0') != text.npos)
    return not_local("must not hold a NUL");
  fs::path path{text};
  if (path.is_absolute())
    return not_local(
      "must name a path beneath a media root, not an absolute one");
  if (std::ranges::find(path, fs::path{".."}) != path.end())
    return not_local(
      "must not hold .., since nothing outside the media roots is "
      "read");
  return path;
}

result<fs::path> local_path_of(std::string_view source) {
  auto path = local_folder_of(source);
  if (path
      && (source.ends_with('/') || !path->has_filename()
          || path->filename() == "."))
    return not_local("must name a file");
  return path;
}

std::string_view folder_of_glob(std::string_view glob) {
  const auto slash = glob.rfind('/');
  return glob.substr(0, std::max(slash == glob.npos ? 0 : slash,
                                 std::min(local_scheme.size(), glob.size())));
}

} // namespace troupe::media
