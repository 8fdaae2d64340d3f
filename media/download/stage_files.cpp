#include "media/download/stage_files.hpp"

#include "media/files/digest.hpp"
#include "media/files/publish.hpp"
#include "media/files/sync.hpp"
#include "media/plain_json.hpp"

#include <boost/json/object.hpp>

namespace troupe::media {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

json::value video_view(const std::optional<video_facts>& video) {
  if (!video)
    return nullptr;
  return json::object{{"codec", video->codec},
                      {"width", video->width},
                      {"height", video->height},
                      {"fps", video->fps}};
}

json::value audio_view(const std::optional<audio_facts>& audio) {
  if (!audio)
    return nullptr;
  return json::object{{"codec", audio->codec},
                      {"channels", audio->channels},
                      {"sample_rate", audio->sample_rate}};
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value{} : json::value(text);
}

json::object result_view(const fetched_media& media, const std::string& path,
                         const file_digest& digest) {
  const auto& facts = media.facts;
  return {{"path", path},
          {"size", digest.size},
          {"sha256", digest.sha256},
          {"duration_s", facts.container.empty()
                           ? json::value{}
                           : json::value(facts.duration_s)},
          {"container", text_or_null(facts.container)},
          {"video", video_view(facts.video)},
          {"audio", audio_view(facts.audio)},
          {"title", media.source.title},
          {"uploader", text_or_null(media.source.uploader)},
          {"source_url", media.params.url},
          {"thumbnail", nullptr},
          {"info_json", nullptr}};
}

/// Puts files into the staging folder one by one. Invariant: `files_` holds
/// what lies there, synced.
class stager {
public:
  stager(fs::path folder, fs::path stem, bool replace, std::string library)
    : folder_(std::move(folder)), stem_(std::move(stem)), replace_(replace),
      library_(std::move(library)) {}

  /// `suffix` such as ".mp4"; the file is moved.
  result<staged_file> take(const fs::path& from, const std::string& suffix) {
    const auto to = folder_ / ("media" + suffix);
    std::error_code bad;
    fs::rename(from, to, bad);
    if (bad)
      return file_failure(from, bad.value());
    return add(to, suffix);
  }

  result<staged_file> write(std::string_view bytes, const std::string& suffix) {
    const auto to = folder_ / ("media" + suffix);
    if (const auto good = write_file_synced(to, bytes); !good)
      return good.error();
    return add(to, suffix);
  }

  std::vector<staged_file> files() && {
    return std::move(files_);
  }

private:
  result<staged_file> add(const fs::path& staged, const std::string& suffix) {
    if (const auto good = sync_path(staged); !good)
      return good.error();
    auto digest = digest_of(staged);
    if (!digest)
      return digest.error();
    return files_.emplace_back(staged_file{staged, stem_.string() + suffix,
                                           digest->size, digest->sha256,
                                           replace_, library_});
  }

  fs::path folder_;
  fs::path stem_;
  bool replace_;
  std::string library_;
  std::vector<staged_file> files_;
};

fs::path stem_of(const attempt_task& task, const download_params& params,
                 const source_info& source) {
  return task.library / file_stem(params.filename, source.names);
}

/// `media.en.vtt` → `.en.vtt`
std::string suffix_of(const fs::path& file) {
  return file.filename().string().substr(std::string_view{"media"}.size());
}

/// Thumbnail, subtitles and description: worth having, and no reason to fail.
result<void> stage_side_files(const fetched_media& media, stager& to,
                              json::object& told) {
  if (!media.files.thumbnail.empty()) {
    const auto ending = media.files.thumbnail.extension().string();
    const auto staged = to.take(media.files.thumbnail, ending);
    if (!staged)
      return staged.error();
    told["thumbnail"] = staged->final_path;
  }
  for (const auto& file : media.files.subtitles)
    if (const auto staged = to.take(file, suffix_of(file)); !staged)
      return staged.error();
  const auto info = to.write(lasting_info(media.source.raw), ".info.json");
  if (!info)
    return info.error();
  told["info_json"] = info->final_path;
  return {};
}

step<void> check_bytes(const download_params& params,
                       const staged_file& staged) {
  if (!params.sha256.empty() && params.sha256 != staged.sha256)
    return failure_report{errc::checksum_failed,
                          "the file's sha256 is " + staged.sha256, 0};
  const auto size = static_cast<std::uint64_t>(staged.size);
  if (params.max_filesize > 0 && size > params.max_filesize)
    return failure_report{errc::too_large,
                          std::to_string(size) + " bytes are more than "
                            + std::to_string(params.max_filesize),
                          0};
  return {};
}

} // namespace

fs::path final_path_of(const attempt_task& task, const download_params& params,
                       const source_info& source, const std::string& ending) {
  return stem_of(task, params, source).string() + "." + ending;
}

step<finished> stage_download(const fetched_media& media) {
  const auto folder =
    staging_folder(media.task.library, media.task.id, media.task.epoch);
  std::error_code bad;
  fs::create_directories(folder, bad);
  if (bad)
    return report_of(file_failure(folder, bad.value()));
  stager to{folder, stem_of(media.task, media.params, media.source),
            media.params.if_exists == if_exists_rule::replace,
            library_id(media.task.library)};
  const auto ending =
    "." + ending_of(media.facts, suffix_of(media.files.media).substr(1));
  json::object side;
  if (const auto good = stage_side_files(media, to, side); !good)
    return report_of(good.error());
  const auto main = to.take(media.files.media, ending);
  if (!main)
    return report_of(main.error());
  if (const auto good = check_bytes(media.params, *main); !good)
    return good.error();
  if (const auto good = sync_path(folder); !good)
    return report_of(good.error());
  auto told = result_view(media, main->final_path, {main->size, main->sha256});
  for (const auto& [key, value] : side)
    told[key] = value;
  return finished{plain_json(told), std::move(to).files()};
}

step<finished> keep_existing(const fetched_media& media,
                             const fs::path& existing) {
  const auto digest = digest_of(existing);
  if (!digest)
    return report_of(digest.error());
  return finished{plain_json(result_view(media, existing.string(), *digest)),
                  {}};
}

} // namespace troupe::media
