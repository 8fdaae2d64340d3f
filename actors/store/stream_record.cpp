#include "actors/store/stream_record.hpp"

#include "actors/store/archive.hpp"
#include "actors/store/put_off.hpp"

#include <algorithm>

namespace troupe::store {

namespace {

template <class Archive, class Record>
void fields(Archive& f, Record& it) {
  f(it.id), f(it.owner), f(it.wish), f(it.created_at), f(it.expires_at);
}

void forget(const std::string& id, transaction& in) {
  in.remove(record_kind::stream, id);
  in.unlink(link_kind::streams, {}, id);
}

} // namespace

void put_stream(const stream_record& it, transaction& in) {
  archive_writer out;
  fields(out, it);
  in.write(record_kind::stream, it.id, std::move(out).take(), it.expires_at);
  in.link(link_kind::streams, {}, it.id);
}

errc drop_stream(const std::string& id, transaction& in) {
  if (!in.read(record_kind::stream, id))
    return errc::not_found;
  forget(id, in);
  return errc::none;
}

void expire_stream(const std::string& id, transaction& in) {
  const auto it = read_stream(id, in);
  if (!it)
    return put_off(record_kind::stream, id, in);
  if (it->expires_at > in.now())
    return put_stream(*it, in);
  forget(id, in);
}

std::optional<stream_record> unpack_stream(std::string_view bytes) {
  stream_record it;
  archive_reader from{bytes};
  fields(from, it);
  if (!from.done())
    return {};
  return it;
}

std::optional<stream_record> read_stream(const std::string& id,
                                         transaction& in) {
  const auto bytes = in.read(record_kind::stream, id);
  return bytes ? unpack_stream(*bytes) : std::nullopt;
}

std::vector<stream_record> read_streams(const std::string& after,
                                        std::size_t max, transaction& in) {
  const auto ids = in.links(link_kind::streams, {}, after, max);
  std::vector<record_name> wanted;
  for (const auto& id : ids)
    wanted.push_back({record_kind::stream, id});
  in.prefetch(wanted);
  std::vector<stream_record> all;
  for (const auto& id : ids)
    if (auto it = read_stream(id, in))
      all.push_back(std::move(*it));
  return all;
}

} // namespace troupe::store
