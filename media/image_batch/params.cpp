#include "media/image_batch/params.hpp"

#include "config/text.hpp"
#include "media/download/json_read.hpp"
#include "media/errc.hpp"
#include "media/files/names.hpp"
#include "media/probe/local_path.hpp"

#include <boost/url/pct_string_view.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_map>

namespace troupe::media {

namespace {

constexpr std::size_t most_images = 1'000'000;
constexpr double least_step_s = 0.1;

failure wrong(std::string what) {
  return fail(errc::bad_params, std::move(what));
}

double number_or(const json::object& from, std::string_view key,
                 double otherwise) {
  const auto told = number_of(from, key);
  return told < 0 ? otherwise : told;
}

/// Whole and at least 1, as the schema has seen to.
std::uint32_t count_or(const json::object& from, std::string_view key,
                       std::uint32_t otherwise) {
  const auto told = number_of(from, key);
  return told < 1 ? otherwise : static_cast<std::uint32_t>(told);
}

void read_sprite(const json::object& from, video_wish& to) {
  to.view = video_view::sprite;
  to.every_s = std::max(number_or(from, "every_s", to.every_s), least_step_s);
  to.columns = count_or(from, "columns", to.columns);
}

void read_preview(const json::object& from, video_wish& to) {
  to.view = video_view::preview;
  to.from_s = number_or(from, "from_s", to.from_s);
  to.length_s = number_or(from, "length_s", to.length_s);
  to.fps = std::clamp(number_or(from, "fps", to.fps), least_step_s, 30.0);
}

result<video_wish> read_video_wish(const json::object& from) {
  if (from.size() > 1)
    return wrong("video: one of at_s, scenes, sprite and preview");
  video_wish out;
  if (const auto* times = array_of(from, "at_s")) {
    for (const auto& each : *times)
      out.at_s.push_back(each.is_number() ? each.to_number<double>() : 0);
    if (out.at_s.size() > most_stills)
      return wrong("video: too many times");
  } else if (from.contains("scenes")) {
    out.view = video_view::scenes;
    out.count = std::min(count_or(from, "scenes", out.count), most_stills);
  } else if (const auto* sprite = object_of(from, "sprite")) {
    read_sprite(*sprite, out);
  } else if (const auto* preview = object_of(from, "preview")) {
    read_preview(*preview, out);
  }
  return out;
}

/// @param member the one that is wrong, if one is
result<batch_operation> read_operation(const json::value& from,
                                       const option_rules& rules,
                                       std::string_view& member) {
  if (!from.is_object())
    return wrong("operations");
  const auto& object = from.get_object();
  batch_operation out;
  out.name = text_of(object, "name");
  member = "/options";
  auto options = parse_options(text_of(object, "options"), rules);
  if (!options)
    return options.error();
  out.options = std::move(*options);
  member = "/format";
  if (const auto format = text_of(object, "format"); !format.empty()) {
    out.options.format = format_named(format);
    if (!can_save(out.options.format))
      return wrong("format " + format + " cannot be made");
  }
  member = "/video";
  if (const auto* video = object_of(object, "video")) {
    auto wish = read_video_wish(*video);
    if (!wish)
      return wish.error();
    out.video = std::move(*wish);
  }
  if (out.video && (out.options.watermark || out.options.trim))
    return wrong("video: pictures of it are neither marked nor trimmed");
  return out;
}

result<void> read_sources(const json::object& from, batch_params& to) {
  if (const auto* list = array_of(from, "sources"))
    for (const auto& each : *list)
      to.sources.emplace_back(each.is_string() ? each.get_string()
                                               : json::string{});
  if (from.contains("sources") + from.contains("glob")
        + from.contains("source_dir")
      != 1)
    return wrong("one of sources, glob and source_dir must be there");
  to.folder = text_of(from, "source_dir");
  if (const auto glob = text_of(from, "glob"); !glob.empty()) {
    if (!glob.starts_with(local_scheme))
      return wrong("glob must be local:///folder/pattern");
    to.folder = folder_of_glob(glob);
    to.pattern = glob.substr(glob.rfind('/') + 1);
  }
  if (to.sources.empty() == to.folder.empty())
    return wrong("one of sources, glob and source_dir must be there");
  return {};
}

/// The last part of a source, decoded, without its ending.
std::string stem_of(const std::string& source) {
  auto text = source.substr(0, source.find_first_of("?#"));
  text = text.substr(text.rfind('/') + 1);
  const auto encoded = boost::urls::make_pct_string_view(text);
  const auto name = encoded ? encoded->decode() : text;
  return std::filesystem::path{name}.stem().string();
}

void replace(std::string& text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != text.npos;
       at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

/// Every part a safe name; no part is empty.
std::string safe_path(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find('/'), text.size());
    if (end > 0)
      out += (out.empty() ? "" : "/") + safe_segment(text.substr(0, end), "_");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out.empty() ? "_" : out;
}

} // namespace

std::size_t batch_operation::images() const {
  if (!video)
    return 1;
  if (video->view == video_view::scenes)
    return video->count;
  return video->view == video_view::stills
           ? std::max<std::size_t>(video->at_s.size(), 1)
           : 1;
}

std::size_t batch_params::first_image(std::size_t operation) const {
  std::size_t out = 0;
  for (std::size_t i = 0; i < operation; ++i)
    out += operations[i].images();
  return out;
}

result<batch_params> read_batch(std::string_view text,
                                const option_rules& rules) {
  const auto object = parse_object(text);
  if (!object)
    return wrong("not a JSON object");
  batch_params out;
  if (const auto read = read_sources(*object, out); !read)
    return read.error();
  const auto* operations = array_of(*object, "operations");
  if (!operations || operations->empty())
    return wrong("operations");
  std::string_view member;
  for (const auto& each : *operations) {
    auto read = read_operation(each, rules, member);
    if (!read)
      return read.error();
    out.operations.push_back(std::move(*read));
  }
  if (out.sources.size() * out.images() > most_images)
    return wrong("too many images for one job");
  if (auto name = text_of(*object, "output"); !name.empty())
    out.output = std::move(name);
  if (out.output.ends_with(".{ext}"))
    out.output.resize(out.output.size() - 6);
  out.fail_fast = truth_of(*object, "fail_fast");
  return out;
}

std::vector<batch_fault> batch_faults(std::string_view text,
                                      const option_rules& rules) {
  const auto object = parse_object(text);
  if (!object)
    return {{"", "must be an object"}};
  std::vector<batch_fault> out;
  batch_params ignored;
  if (const auto read = read_sources(*object, ignored); !read)
    out.push_back({"", read.error().detail});
  const auto* operations = array_of(*object, "operations");
  if (!operations)
    return out;
  std::set<std::string> names;
  for (std::size_t i = 0; i < operations->size(); ++i) {
    const auto at = "/operations/" + std::to_string(i);
    std::string_view member;
    const auto read = read_operation((*operations)[i], rules, member);
    if (!read)
      out.push_back({at + std::string{member}, read.error().detail});
    else if (!names.insert(config::lower(read->name)).second)
      out.push_back({at + "/name", "is the name of another operation"});
  }
  return out;
}

std::vector<std::string> output_names(const batch_params& params,
                                      const std::vector<std::string>& sources) {
  std::vector<std::string> out;
  // By the name in small letters: how often it was wanted, 0 for what was
  // found by counting.
  std::unordered_map<std::string, unsigned> taken;
  std::vector<std::pair<const batch_operation*, std::size_t>> images;
  for (const auto& each : params.operations)
    for (std::size_t number = 1; number <= each.images(); ++number)
      images.emplace_back(&each, number);
  for (std::size_t i = 0; i < sources.size(); ++i)
    for (const auto& [operation, number] : images) {
      auto wish = params.output;
      if (operation->images() > 1)
        wish += '-' + std::to_string(number);
      replace(wish, "{index}", std::to_string(i));
      replace(wish, "{operation}", operation->name);
      replace(wish, "{name}", operation->name);
      // Last, since it is not ours: it may hold braces.
      replace(wish, "{stem}", safe_segment(stem_of(sources[i]), "image"));
      const auto base = safe_path(wish);
      auto name = base;
      auto& count = taken[config::lower(base)];
      while (count > 0 && taken.contains(config::lower(name)))
        name = base + " (" + std::to_string(++count) + ')';
      count = std::max(count, 1u);
      taken.try_emplace(config::lower(name), 1);
      out.push_back(std::move(name));
    }
  return out;
}

} // namespace troupe::media
