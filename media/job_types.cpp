#include "media/job_types.hpp"

#include "media/download/json_read.hpp"
#include "media/download/params.hpp"
#include "media/download/schema.hpp"
#include "media/image_batch/params.hpp"
#include "media/noop/noop.hpp"
#include "media/probe/job.hpp"
#include "media/transcode/params.hpp"

#include <algorithm>
#include <array>

namespace troupe::media {

std::span<const job_type> job_types() noexcept {
  static const std::array types{
    job_type{"download", "download",
             "Fetches one video or sound with yt-dlp and publishes it in the "
             "library.",
             download_params_schema, download_result_schema,
             job_cost{0.25, 160u << 20, 256u << 20, 0}},
    job_type{"image_batch", "image",
             "Makes images of many sources in the library, by the same "
             "operations.",
             image_batch_params_schema, image_batch_result_schema,
             job_cost{0.5, 128u << 20, 0, 0}},
    job_type{"noop", "bulk",
             "Does nothing, for tests and benchmarks: sleeps, fails or writes "
             "a file as asked.",
             noop_params_schema, noop_result_schema,
             job_cost{0.005, 64u << 10, 0, 0}},
    job_type{"probe", "video",
             "Tells a media file's container, streams, chapters and tags.",
             probe_params_schema, probe_result_schema,
             job_cost{0.25, 64u << 20, 0, 0}},
    job_type{"transcode", "video",
             "Makes a film anew, in another size, codec or container, and "
             "publishes it in the library.",
             transcode_params_schema, transcode_result_schema,
             job_cost{1.5, 512u << 20, 1u << 30, 0}},
  };
  return types;
}

const job_type* find_job_type(std::string_view name) noexcept {
  const auto types = job_types();
  const auto at = std::ranges::find(types, name, &job_type::name);
  return at == types.end() ? nullptr : &*at;
}

std::string default_concurrency_key(std::string_view type,
                                    std::string_view params) {
  if (type != "download")
    return {};
  const auto object = parse_object(params);
  const auto host = host_of_url(object ? text_of(*object, "url") : "");
  return host.empty() ? std::string{} : "host:" + host;
}

} // namespace troupe::media
