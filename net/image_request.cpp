#include "net/image_request.hpp"

#include "media/imaging/source_name.hpp"
#include "net/json_reader.hpp"
#include "net/query.hpp"

#include <boost/url/pct_string_view.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace troupe::net {

namespace {

constexpr std::size_t max_source = 4096;

problem unreadable(const failure& why) {
  return {problem_code::invalid_params,
          why.detail,
          {{"/options", why.detail, "bad_params"}}};
}

bool is_source(std::string_view text) {
  const bool known = text.starts_with("local:///") || text.starts_with("job:")
                     || text.starts_with("http://")
                     || text.starts_with("https://");
  return known && text.size() <= max_source && !has_control(text);
}

/// The last part of a source's path without its ending, "image" where there is
/// none: what a download is called that has no other name.
std::string stem_of(std::string_view source) {
  const bool has_path = source.find("://") != source.npos;
  const auto plain = media::plain_source(source.substr(0, source.find('?')));
  std::filesystem::path path;
  if (const auto text = boost::urls::make_pct_string_view(plain);
      has_path && !text.has_error())
    path = text->decode();
  const auto stem = path.stem().string();
  return stem.empty() ? "image" : stem;
}

/// What the URL says of a download's name.
void take_name(const media::image_options& options, std::string_view source,
               wanted_image& to) {
  to.attachment = options.attachment;
  to.filename = options.filename;
  if (to.attachment && to.filename.empty())
    to.filename = stem_of(source);
}

/// Takes what fields of the request say of its format and size.
void take_fields(const image_site& site, const header_fields& fields,
                 wanted_image& to) {
  auto& options = to.query.options;
  const auto& settings = site.settings;
  if (options.format == media::image_format::none && !options.raw
      && (settings.avif || settings.webp)) {
    to.query.accepted = media::read_accept(fields.accept);
    to.vary = "Accept";
  }
  if (!settings.client_hints || options.width > 0)
    return;
  to.vary += to.vary.empty() ? "" : ", ";
  to.vary += "Sec-CH-DPR, DPR, Sec-CH-Width, Width";
  const auto hints =
    media::read_hints(fields.dpr, fields.hint_width, settings.hint_widths);
  if (hints.dpr && options.dpr == 1)
    options.dpr = *hints.dpr;
  if (hints.width)
    options.width = static_cast<int>(std::ceil(*hints.width / options.dpr));
}

} // namespace

image_site::image_site(const config::image_settings& from)
  : settings(from), signer(from), rules(media::rules_of(from)) {}

std::variant<wanted_image, problem> read_image_request(const image_site& site,
                                                       const request& req,
                                                       std::int64_t now) {
  // "/{signature}/{options}/{source}" remains.
  auto path = req.target.path.substr(site.settings.path_prefix.size() + 1);
  const auto signature = path.substr(0, path.find('/'));
  path.remove_prefix(signature.size());
  if (path.empty())
    return problem{problem_code::not_found, "there is no image at this path"};
  // Proxies repair paths, or spoil what clients have signed repaired.
  if (!site.signer.is_good(signature, path)
      && !site.signer.is_good(signature, media::repaired_image_path(path)))
    return problem{problem_code::forbidden, "the URL's signature is not good"};
  auto read = media::parse_image_path(path.substr(1), site.rules);
  if (!read)
    return unreadable(read.error());
  if (!is_source(read->source))
    return problem{problem_code::invalid_params,
                   "the source must be local:///path, http(s)://… or job:ID"};
  wanted_image out;
  out.max_age_s = site.settings.max_age_s;
  if (const auto expires = read->options.expires_s; expires > 0) {
    if (expires <= now)
      return problem{problem_code::not_found, "the URL has expired"};
    out.max_age_s = std::min(out.max_age_s, static_cast<double>(expires - now));
  }
  out.query.options = std::move(read->options);
  out.query.source = std::move(read->source);
  take_name(out.query.options, out.query.source, out);
  take_fields(site, req.headers, out);
  return out;
}

std::variant<wanted_image, problem> read_image_upload(const image_site& site,
                                                      const request& req) {
  std::string text;
  auto fault = read_parameters(
    req.target, [&](std::string_view name, const std::string& value) {
      if (name != "options")
        return std::string{unknown_parameter};
      text = value;
      return std::string{};
    });
  if (fault)
    return std::move(*fault);
  if (!req.upload)
    return problem{problem_code::invalid_request, "the body must be an image"};
  auto options = media::parse_options(text, site.rules);
  if (!options)
    return unreadable(options.error());
  wanted_image out;
  out.query.options = std::move(*options);
  take_name(out.query.options, {}, out);
  take_fields(site, req.headers, out);
  return out;
}

bool is_slow(const config::image_settings& settings,
             const media::image_options& options) {
  if (settings.stand_in_pixels == 0
      || options.format != media::image_format::avif)
    return false;
  const double one = std::max(options.width, options.height);
  const double width = options.width > 0 ? options.width : one;
  const double height = options.height > 0 ? options.height : one;
  const double pixels = width * height * options.dpr * options.dpr;
  return pixels == 0 || pixels > static_cast<double>(settings.stand_in_pixels);
}

std::variant<media::purge_order, problem> read_purge(std::string_view body) {
  json_parser parser;
  simdjson::dom::element root;
  if (auto fault = parser.parse(body, root))
    return std::move(*fault);
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS)
    return problem{problem_code::invalid_params,
                   "the body must be an object",
                   {{"", "must be an object", {}}}};
  field_errors errors;
  object_reader reader{object, {}, errors};
  std::string source;
  std::string tag;
  bool all = false;
  reader.text("source", source, max_source);
  reader.text("tag", tag, max_source);
  reader.boolean("all", all);
  reader.finish();
  if (errors.empty() && !source.empty() + !tag.empty() + all != 1)
    errors.add("", "must hold one of source, tag and all: true");
  if (!errors.empty())
    return problem{problem_code::invalid_params, "the body is not valid",
                   errors.take()};
  using order = media::purge_order;
  if (all)
    return order{};
  return tag.empty() ? order{order::kind::source, media::source_mark(source)}
                     : order{order::kind::tag, media::mark_of(tag)};
}

} // namespace troupe::net
