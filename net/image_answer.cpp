#include "net/image_answer.hpp"

#include "actors/gateway.hpp"
#include "config/text.hpp"
#include "media/errc.hpp"
#include "media/imaging/origin_pause.hpp"
#include "net/job_files.hpp"
#include "net/media_problem.hpp"
#include "net/validators.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace troupe::net {

namespace {

/// Of what stands in for a better one.
constexpr double stand_in_age_s = 30;

std::string timing_of(const image_at_hand& what) {
  std::array<char, 128> text{};
  const auto size = std::snprintf(
    text.data(), text.size(), "look;dur=%.2f, queue;dur=%.2f, make;dur=%.2f",
    what.look_ms, what.wait_ms, what.make_ms);
  return {text.data(), static_cast<std::size_t>(size)};
}

/// The name with the ending of what is really sent.
std::string named_as(std::string name, media::image_format as) {
  const auto dot = std::min(name.rfind('.'), name.size());
  const auto ending = config::lower(std::string_view{name}.substr(dot));
  const auto named = media::format_named(ending.substr(!ending.empty()));
  if (named == as)
    return name;
  if (named != media::image_format::none)
    name.resize(dot);
  return name.append(".").append(media::name_of(as));
}

/// RFC 6266
std::string disposition(const wanted_image& wanted, media::image_format as) {
  constexpr std::string_view kind = "attachment";
  const auto text = disposition_of(named_as(wanted.filename, as));
  return wanted.attachment ? text : "inline" + text.substr(kind.size());
}

problem problem_of_image(const failure& why) {
  if (why.code.category() == media::origin_pause_category()) {
    problem out{problem_code::rate_limited, why.message()};
    out.retry_after_s = static_cast<unsigned>(why.code.value());
    return out;
  }
  if (why.code.category() != media::media_category())
    return problem_of(why);
  const auto code = static_cast<media::errc>(why.code.value());
  const auto text = why.detail.empty() ? why.message() : why.detail;
  problem out{problem_code_of(code), text};
  if (out.code == problem_code::source_forbidden)
    out.status = 403;
  if (out.code == problem_code::deadline)
    out.retry_after_s = 5;
  if (out.code == problem_code::rate_limited)
    out.retry_after_s = 60;
  out.errors.push_back({"", text, std::string{media::code_of(code)}});
  return out;
}

} // namespace

response image_answer(const request& req, const wanted_image& wanted,
                      const image_at_hand& what) {
  response out;
  auto etag = '"' + media::to_hex(what.image->digest) + '"';
  const bool same = !req.headers.if_none_match.empty()
                    && names(req.headers.if_none_match, etag);
  out.status = same ? 304 : 200;
  out.headers.emplace_back("ETag", std::move(etag));
  const auto age = what.stands_in ? std::min(wanted.max_age_s, stand_in_age_s)
                                  : wanted.max_age_s;
  out.headers.emplace_back("Cache-Control",
                           "public, max-age="
                             + std::to_string(static_cast<std::int64_t>(age)));
  if (!wanted.vary.empty())
    out.headers.emplace_back("Vary", wanted.vary);
  out.headers.emplace_back("X-Cache", what.how);
  out.headers.emplace_back("Server-Timing", timing_of(what));
  if (same)
    return out;
  const auto format = static_cast<media::image_format>(what.image->note.kind);
  out.content_type = media::mime_of(format);
  out.headers.emplace_back("X-Content-Type-Options", "nosniff");
  out.headers.emplace_back("Content-Security-Policy", "sandbox");
  if (!wanted.filename.empty())
    out.headers.emplace_back("Content-Disposition",
                             disposition(wanted, format));
  out.shared = {what.image, &what.image->bytes};
  return out;
}

response image_refusal(const failure& why) {
  return image_refusal(problem_of_image(why));
}

response image_refusal(const problem& why) {
  auto out = answer(why);
  out.headers.emplace_back("Cache-Control", "no-store");
  return out;
}

} // namespace troupe::net
