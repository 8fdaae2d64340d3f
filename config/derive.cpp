#include "config/derive.hpp"

#include "config/forms.hpp"
#include "config/hours.hpp"

#include <algorithm>

namespace troupe::config {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_mark = 1000;

std::string variable(const sources& from, std::string_view name) {
  for (const auto& [key, value] : from.environment)
    if (key == name)
      return value;
  return {};
}

/// $XDG_DATA_HOME/troupe (XDG Base Directory Specification), or empty.
fs::path default_data_dir(const sources& from) {
  if (const fs::path base = variable(from, "XDG_DATA_HOME"); base.is_absolute())
    return base / "troupe";
  if (const fs::path home = variable(from, "HOME"); home.is_absolute())
    return home / ".local/share/troupe";
  return {};
}

/// Absolute and without symbolic links as far as it exists.
fs::path real(const fs::path& path) {
  std::error_code ignored;
  auto absolute = fs::absolute(path, ignored);
  auto found = fs::weakly_canonical(absolute, ignored);
  if (found.empty())
    found = absolute.lexically_normal();
  return found.has_filename() ? found : found.parent_path();
}

bool lies_in(const fs::path& inner, const fs::path& outer) {
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end())
           .first
         == outer.end();
}

constexpr std::string_view sqlite = "sqlite:";

/// Where the embedded store lies; empty for another.
fs::path database_of(const settings& values) {
  return values.store.url.starts_with(sqlite)
           ? fs::path{values.store.url.substr(sqlite.size())}
           : fs::path{};
}

void make_absolute(settings& values) {
  const auto fix = [](fs::path& path) {
    if (!path.empty())
      path = real(path);
  };
  fix(values.data.dir);
  fix(values.library.dir);
  fix(values.tools.cookies_dir);
  fix(values.images.watermark);
  fix(values.images.cache_dir);
  fix(values.images.upload_dir);
  fix(values.streams.cache_dir);
  if (const auto database = database_of(values); !database.empty())
    values.store.url = std::string{sqlite} + real(database).string();
  std::for_each(values.library.media_roots.begin(),
                values.library.media_roots.end(), fix);
}

template <class Complain>
void check_images(const settings& values, const Complain& complain) {
  const auto& images = values.images;
  if (images.keys.size() != images.salts.size())
    complain("images.salts", "must be as many as images.keys");
  if (!images.watermark.empty() && !images.watermark_text.empty())
    complain("images.watermark_text", "must be empty beside images.watermark");
  if (images.watermark_text.size() > longest_mark)
    complain("images.watermark_text", "must have at most 1000 bytes");
  for (const auto& root : values.library.media_roots)
    if (lies_in(images.cache_dir, root)
        && !lies_in(images.cache_dir, values.data.dir))
      complain("images.cache_dir", "must not lie in the media root "
                                     + root.string()
                                     + ", which clients can read");
  if (!is_loopback(values.http.listen) && images.keys.empty()
      && !images.allow_unsigned)
    complain("images.keys", "must be set off loopback, unless "
                            "images.allow_unsigned is");
}

/// One limit holds at a time.
template <class Complain>
void check_hours_apart(const bandwidth_settings& of, const Complain& complain) {
  for (std::size_t i = 0; i < of.hours.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (overlap(*parse_hours(of.hours[i]), *parse_hours(of.hours[j])))
        complain("bandwidth.hours", "must not overlap, as " + of.hours[j]
                                      + " and " + of.hours[i] + " do");
}

} // namespace

void derive(settings& values, const sources& from, const whereabouts& where,
            std::vector<problem>& problems) {
  const auto complain = [&](std::string key, std::string what) {
    problems.push_back({where(key), key, std::move(what)});
  };
  if (values.data.dir.empty())
    values.data.dir = default_data_dir(from);
  if (values.data.dir.empty())
    return complain("data.dir", "must be set, since neither XDG_DATA_HOME nor "
                                "HOME names a folder");
  if (values.library.dir.empty())
    values.library.dir = values.data.dir / "library";
  if (values.images.cache_dir.empty())
    values.images.cache_dir = values.data.dir / "images";
  if (values.images.upload_dir.empty())
    values.images.upload_dir = values.data.dir / "uploads";
  if (values.streams.cache_dir.empty())
    values.streams.cache_dir = values.data.dir / "streams";
  make_absolute(values);
  if (values.store.url.empty())
    values.store.url = "sqlite:" + (values.data.dir / "queue.db").string();

  const auto database = database_of(values);
  for (const auto& root : values.library.media_roots) {
    if (lies_in(values.data.dir, root))
      complain("data.dir", "must not lie in the media root " + root.string()
                             + ", which clients can read");
    else if (lies_in(database, root))
      complain("store.url", "must not lie in the media root " + root.string()
                              + ", which clients can read");
  }
  if (lies_in(values.data.dir, values.library.dir))
    complain("library.dir", "must not be or contain the data folder "
                              + values.data.dir.string()
                              + ", where files of any name go");
  else if (lies_in(database, values.library.dir))
    complain("store.url", "must not lie in the library, where files of any "
                          "name go");
  check_images(values, complain);
  check_hours_apart(values.bandwidth, complain);
  for (const auto& root : values.library.media_roots)
    if (lies_in(values.streams.cache_dir, root)
        && !lies_in(values.streams.cache_dir, values.data.dir))
      complain("streams.cache_dir", "must not lie in the media root "
                                      + root.string()
                                      + ", which clients can read");
  if (!is_loopback(values.http.listen))
    complain("http.listen", "must be a loopback address, since anybody who "
                            "reaches it could use it");
}

} // namespace troupe::config
