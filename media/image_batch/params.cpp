#include "media/image_batch/params.hpp"

#include "config/text.hpp"
#include "media/download/json_read.hpp"
#include "media/errc.hpp"
#include "media/files/names.hpp"

#include <boost/url/pct_string_view.hpp>

#include <filesystem>
#include <unordered_map>

namespace troupe::media {

namespace {

constexpr std::string_view local = "local:///";
constexpr std::size_t most_images = 1'000'000;

failure wrong(std::string what) {
  return fail(errc::bad_params, std::move(what));
}

result<batch_operation> read_operation(const json::value& from,
                                       const option_rules& rules) {
  if (!from.is_object())
    return wrong("operations");
  const auto& object = from.get_object();
  batch_operation out;
  out.name = text_of(object, "name");
  auto options = parse_options(text_of(object, "options"), rules);
  if (!options)
    return options.error();
  out.options = std::move(*options);
  if (const auto format = text_of(object, "format"); !format.empty()) {
    out.options.format = format_named(format);
    if (!can_save(out.options.format))
      return wrong("format " + format + " cannot be made");
  }
  return out;
}

result<void> read_sources(const json::object& from, batch_params& to) {
  if (const auto* list = array_of(from, "sources"))
    for (const auto& each : *list)
      to.sources.emplace_back(each.is_string() ? each.get_string()
                                               : json::string{});
  to.folder = text_of(from, "source_dir");
  if (const auto glob = text_of(from, "glob"); !glob.empty()) {
    const auto slash = glob.rfind('/');
    if (!glob.starts_with(local) || slash + 1 < local.size())
      return wrong("glob must be local:///folder/pattern");
    to.folder = glob.substr(0, std::max(slash, local.size()));
    to.pattern = glob.substr(slash + 1);
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
  for (const auto& each : *operations) {
    auto read = read_operation(each, rules);
    if (!read)
      return read.error();
    out.operations.push_back(std::move(*read));
  }
  if (out.sources.size() * out.operations.size() > most_images)
    return wrong("too many images for one job");
  if (auto name = text_of(*object, "output"); !name.empty())
    out.output = std::move(name);
  if (out.output.ends_with(".{ext}"))
    out.output.resize(out.output.size() - 6);
  out.fail_fast = truth_of(*object, "fail_fast");
  return out;
}

std::vector<std::string> output_names(const batch_params& params,
                                      const std::vector<std::string>& sources) {
  std::vector<std::string> out;
  // By the name in small letters: how often it was wanted, 0 for what was
  // found by counting.
  std::unordered_map<std::string, unsigned> taken;
  for (std::size_t i = 0; i < sources.size(); ++i)
    for (const auto& operation : params.operations) {
      auto wish = params.output;
      replace(wish, "{index}", std::to_string(i));
      replace(wish, "{operation}", operation.name);
      replace(wish, "{name}", operation.name);
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
