#include "net/stream_answer.hpp"

#include "media/errc.hpp"
#include "net/job_files.hpp"
#include "net/media_problem.hpp"

#include <algorithm>

namespace troupe::net {

namespace {

constexpr unsigned retry_s = 1;

/// What a wish asks for in vain is told as `member: why`; all else is about
/// the source.
field_error field_of(media::errc code, const std::string& text) {
  const std::string word{media::code_of(code)};
  const auto colon = text.find(": ");
  for (const std::string_view member : {"audio", "subtitle", "mode"})
    if (code == media::errc::bad_params && text.substr(0, colon) == member)
      return {pointer_to("", member), text.substr(colon + 2), word};
  return {"/source", text, word};
}

problem problem_of_stream(const failure& why) {
  const auto& category = why.code.category();
  if (category == actors::overload_category()) {
    problem out{problem_code::queue_full, why.detail};
    out.retry_after_s = static_cast<unsigned>(why.code.value());
    return out;
  }
  if (why.code == actors::errc::deadline) {
    problem out{problem_code::deadline, "it is being made"};
    out.status = 503;
    out.retry_after_s = retry_s;
    return out;
  }
  if (category != media::media_category())
    return problem_of(why);
  const auto code = static_cast<media::errc>(why.code.value());
  const auto text = why.detail.empty() ? why.message() : why.detail;
  problem out{problem_code_of(code), text};
  if (out.code == problem_code::deadline) {
    out.status = 503;
    out.retry_after_s = retry_s;
  }
  if (code == media::errc::killed)
    return out; // no fault of the source
  out.errors.push_back(field_of(code, text));
  return out;
}

} // namespace

response stream_refusal(const failure& why) {
  auto out = answer(problem_of_stream(why));
  out.headers.emplace_back("Cache-Control", "no-store");
  return out;
}

response stream_answer(const rendition_file& file,
                       actors::stream_file_reply got) {
  using actors::stream_file;
  response out;
  const bool is_list =
    file.what == stream_file::master || file.what == stream_file::playlist;
  out.content_type = is_list     ? "application/vnd.apple.mpegurl"
                     : got.bytes ? "video/mp4"
                                 : "text/vtt; charset=utf-8";
  // What a stream offers may be changed; what is made never changes.
  out.headers.emplace_back("Cache-Control", is_list ? "private, no-cache"
                                                    : "private, max-age=86400");
  out.headers.emplace_back("X-Content-Type-Options", "nosniff");
  if (!is_list)
    out.headers.emplace_back("X-Cache", got.made ? "miss" : "hit");
  if (got.bytes)
    out.shared = {got.bytes, &got.bytes->bytes};
  else
    out.body = std::move(got.text);
  return out;
}

response direct_answer(const request& req, const actors::stream_direct& what) {
  auto out =
    file_answer(req, {what.file, what.size, what.etag, what.type}, "source");
  std::erase_if(out.headers, [](const auto& field) {
    return field.first == "Content-Disposition";
  });
  out.headers.emplace_back("Cache-Control", "private, no-cache");
  return out;
}

} // namespace troupe::net
