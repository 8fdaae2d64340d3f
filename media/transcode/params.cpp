#include "media/transcode/params.hpp"

#include "media/download/file_name.hpp"
#include "media/download/json_read.hpp"
#include "media/errc.hpp"

#include <algorithm>

namespace troupe::media {

result<transcode_params> read_transcode_params(std::string_view text) {
  const auto object = parse_object(text);
  if (!object)
    return fail(errc::bad_params, "not a JSON object");
  const auto at_least_0 = [&object](const char* name) {
    return std::max(number_of(*object, name), 0.0);
  };
  transcode_params read;
  read.source = text_of(*object, "source");
  if (auto profile = text_of(*object, "profile"); !profile.empty())
    read.profile = std::move(profile);
  read.height = static_cast<std::uint32_t>(at_least_0("height"));
  if (const auto crf = number_of(*object, "crf"); crf >= 0)
    read.crf = crf;
  read.preset = text_of(*object, "preset");
  read.video_codec = text_of(*object, "video_codec");
  read.audio_codec = text_of(*object, "audio_codec");
  read.audio_bitrate = static_cast<std::uint64_t>(at_least_0("audio_bitrate"));
  read.container = text_of(*object, "container");
  if (auto name = text_of(*object, "filename"); !name.empty())
    read.filename = std::move(name);
  if (const auto good = check_file_template(read.filename); !good)
    return good.error();
  return read;
}

} // namespace troupe::media
