#include "media/imaging/remote_record.hpp"

#include "media/download/json_read.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::media {

namespace {

using milliseconds = std::chrono::milliseconds;

std::int64_t milliseconds_of(std::chrono::system_clock::time_point at) {
  return std::chrono::duration_cast<milliseconds>(at.time_since_epoch())
    .count();
}

} // namespace

std::string write_record(const remote_record& record,
                         std::chrono::system_clock::time_point now,
                         freshness_rules::clock::time_point steady_now) {
  const auto age =
    std::chrono::duration_cast<milliseconds>(steady_now - record.checked);
  json::object out{{"digest", to_hex(record.digest)},
                   {"size", record.size},
                   {"etag", record.etag},
                   {"last_modified", record.last_modified},
                   {"checked_ms", milliseconds_of(now - age)},
                   {"format", name_of(record.look.format)},
                   {"animated", record.look.animated}};
  if (record.look.alpha)
    out["alpha"] = *record.look.alpha;
  return json::serialize(out);
}

std::optional<remote_record>
read_record(std::string_view text, std::chrono::system_clock::time_point now,
            freshness_rules::clock::time_point steady_now) {
  const auto object = parse_object(text);
  if (!object)
    return std::nullopt;
  const auto digest = from_hex(text_of(*object, "digest"));
  const auto checked = number_of(*object, "checked_ms");
  if (!digest || checked < 0)
    return std::nullopt;
  remote_record out;
  out.digest = *digest;
  out.size =
    static_cast<std::uint64_t>(std::max(number_of(*object, "size"), 0.0));
  out.etag = text_of(*object, "etag");
  out.last_modified = text_of(*object, "last_modified");
  out.look.format = format_named(text_of(*object, "format"));
  out.look.animated = truth_of(*object, "animated");
  if (object->contains("alpha"))
    out.look.alpha = truth_of(*object, "alpha");
  const milliseconds age{milliseconds_of(now)
                         - static_cast<std::int64_t>(checked)};
  out.checked = steady_now - std::max(age, milliseconds::zero());
  return out;
}

} // namespace troupe::media
