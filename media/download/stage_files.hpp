#pragma once

#include "media/attempt.hpp"
#include "media/download/params.hpp"
#include "media/download/source_info.hpp"
#include "media/download/step.hpp"
#include "media/download/work_files.hpp"
#include "media/probe/facts.hpp"

#include <filesystem>

namespace troupe::media {

/// Everything that is known when a fetch is over and its file was probed.
struct fetched_media {
  const attempt_task& task;
  const download_params& params;
  const source_info& source;
  media_facts facts;
  work::found_files files;
};

/// The path that the file is to get, whole; `ending` without a dot.
[[nodiscard]] std::filesystem::path final_path_of(const attempt_task& task,
                                                  const download_params& params,
                                                  const source_info& source,
                                                  const std::string& ending);

/// Moves what was fetched into the staging folder, synced, with its digest and
/// a description beside it: the end of an attempt. Blocks. `checksum_failed`,
/// `too_large`, `disk_full`, `io_error`.
[[nodiscard]] step<finished> stage_download(const fetched_media& media);

/// The end of an attempt that found `existing` where its file would go and was
/// told to skip. Nothing is staged. Blocks.
[[nodiscard]] step<finished>
keep_existing(const fetched_media& media,
              const std::filesystem::path& existing);

} // namespace troupe::media
