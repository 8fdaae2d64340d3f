#include "media/probe/facts.hpp"

#include "media/download/json_read.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace troupe::media {

namespace {

struct usual_endings {
  std::string_view container;
  std::array<std::string_view, 6> endings; ///< others in use; rest empty
};

constexpr std::array endings_known{
  usual_endings{"mp4", {"m4v", "m4a", "mov", "3gp", "m4b", "f4v"}},
  usual_endings{"mkv", {"mka", "mk3d"}},
  usual_endings{"ogg", {"opus", "oga", "ogv"}},
  usual_endings{"ts", {"m2ts", "mts"}},
  usual_endings{"mpg", {"mpeg", "vob"}},
  usual_endings{"wmv", {"wma", "asf"}},
  usual_endings{"aiff", {"aif"}},
};

int whole(const json::object& from, std::string_view key) {
  return static_cast<int>(std::clamp(number_of(from, key), 0.0, 1e9));
}

void add_stream(const json::object& stream, media_facts& facts) {
  const auto type = text_of(stream, "type");
  if (type == "video" && !facts.video && !truth_of(stream, "attached_picture"))
    facts.video = video_facts{text_of(stream, "codec"), whole(stream, "width"),
                              whole(stream, "height"),
                              std::max(0.0, number_of(stream, "fps"))};
  if (type == "audio" && !facts.audio)
    facts.audio =
      audio_facts{text_of(stream, "codec"), whole(stream, "channels"),
                  whole(stream, "sample_rate")};
}

bool is_plain(std::string_view ending) {
  return !ending.empty() && ending.size() <= 8
         && std::ranges::all_of(
           ending, [](unsigned char c) { return std::isalnum(c) != 0; });
}

} // namespace

media_facts read_media_facts(std::string_view text) {
  media_facts facts;
  const auto parsed = parse_object(text);
  const auto* streams = parsed ? array_of(*parsed, "streams") : nullptr;
  if (!streams)
    return facts;
  facts.container = text_of(*parsed, "container");
  facts.duration_s = std::max(0.0, number_of(*parsed, "duration_s"));
  for (const auto& stream : *streams)
    if (stream.is_object())
      add_stream(stream.get_object(), facts);
  return facts;
}

std::string ending_of(const media_facts& facts, std::string_view given) {
  if (facts.container.empty())
    return is_plain(given) ? std::string{given} : std::string{"bin"};
  const auto at = std::ranges::find(endings_known, facts.container,
                                    &usual_endings::container);
  const bool usual =
    at != endings_known.end() && !given.empty()
    && std::ranges::find(at->endings, given) != at->endings.end();
  if (usual)
    return std::string{given};
  if (facts.container == "mp4" && !facts.video)
    return "m4a";
  return is_plain(facts.container) ? facts.container : "bin";
}

} // namespace troupe::media
