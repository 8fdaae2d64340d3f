#include "net/openapi.hpp"
#include "net/route_parts.hpp"

namespace troupe::net {

namespace {

/// A part of the page. It may load what this server has, and nothing else.
response docs_answer(docs_part part, std::string_view type) {
  response out;
  out.content_type = type;
  out.body = docs_text(part);
  out.headers.emplace_back("Cache-Control", "no-cache");
  out.headers.emplace_back("X-Content-Type-Options", "nosniff");
  out.headers.emplace_back("Content-Security-Policy",
                           "default-src 'none'; script-src 'self'; "
                           "style-src 'self'; connect-src 'self'; "
                           "base-uri 'none'; form-action 'none'; "
                           "frame-ancestors 'none'");
  return out;
}

} // namespace

answering show_docs(edge&, const request&, const path_params&) {
  co_return docs_answer(docs_part::page, "text/html; charset=utf-8");
}

answering send_docs_part(edge&, const request&, const path_params& path) {
  if (path["name"] == "docs.css")
    co_return docs_answer(docs_part::style, "text/css; charset=utf-8");
  if (path["name"] == "docs.js")
    co_return docs_answer(docs_part::script, "text/javascript; charset=utf-8");
  co_return not_found("the page has no such part");
}

} // namespace troupe::net
