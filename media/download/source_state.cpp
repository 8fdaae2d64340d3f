#include "media/download/source_state.hpp"

#include "media/download/json_read.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::media {

std::string to_json(const source_state& state) {
  json::array parts;
  for (const auto& part : state.parts)
    parts.push_back(json::object{{"format", part.format},
                                 {"length", part.length},
                                 {"etag", part.etag},
                                 {"last_modified", part.last_modified}});
  return json::serialize(
    json::object{{"shape", state.shape}, {"parts", std::move(parts)}});
}

std::optional<source_state> read_source_state(std::string_view text) {
  const auto parsed = parse_object(text);
  const auto* parts = parsed ? array_of(*parsed, "parts") : nullptr;
  if (!parts)
    return std::nullopt;
  source_state state;
  state.shape = text_of(*parsed, "shape");
  for (const auto& each : *parts) {
    if (!each.is_object())
      return std::nullopt;
    const auto& from = each.get_object();
    state.parts.push_back({text_of(from, "format"),
                           static_cast<std::int64_t>(number_of(from, "length")),
                           text_of(from, "etag"),
                           text_of(from, "last_modified")});
  }
  return state;
}

bool may_continue(const source_state& before, const source_state& now) {
  return before == now && !now.parts.empty()
         && std::ranges::all_of(now.parts, &part_state::has_validator);
}

} // namespace troupe::media
