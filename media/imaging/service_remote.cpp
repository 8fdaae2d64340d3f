#include "media/imaging/service_state.hpp"

#include "config/log.hpp"
#include "media/imaging/open_input.hpp"
#include "media/imaging/source_name.hpp"

#include <boost/asio/post.hpp>

#include <utility>

/// Sources that are fetched.
namespace troupe::media {

namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

/// Kinds of what is kept, beside formats of images: a source's own bytes, and
/// what is known of it.
constexpr std::uint8_t original_kind = 255;
constexpr std::uint8_t record_kind = 254;
/// What a fetch is thought to take.
constexpr float fetch_cost_ms = 100;

cache_key original_key(const std::string& url, const cache_key& digest) {
  return key_of("original\n" + to_hex(digest) + '\n' + url);
}

cache_key record_key(const std::string& url) {
  return key_of("record\n" + url);
}

/// Of its failures.
cache_key source_key(const std::string& url) {
  return key_of("source\n" + url);
}

} // namespace

void cached_image_service::find_remote(image_query query, image_heard heard) {
  if (auto why = denied_.find(source_key(query.source), clock::now())) {
    ++told_again_;
    return heard(std::move(*why));
  }
  recollect(query.source);
  const auto known = remote_.find(query.source, clock::now());
  if (!known)
    return fetch_for(std::move(query), false, std::move(heard));
  if (known->stale)
    look_again(query.source);
  if (answer_known(query, known->record, known->stale, heard))
    return;
  fetch_for(std::move(query), true, std::move(heard));
}

/// Answers from the cache, or with work on the bytes that are kept. False: the
/// bytes are needed.
bool cached_image_service::answer_known(const image_query& query,
                                        const remote_record& record, bool stale,
                                        const image_heard& heard) {
  const auto options = chosen(query, record.look);
  const auto identity = query.source + '\n' + to_hex(record.digest);
  if (auto here = look_for(query, options, identity)) {
    stale_ += stale;
    heard(image_found{std::move(here), stale, nullptr});
    return true;
  }
  const auto key = original_key(query.source, record.digest);
  const auto bytes = memory_.find(key);
  const auto kept = bytes ? bytes : (disk_ ? disk_->find(key) : nullptr);
  if (!kept)
    return false;
  auto input = input_of(query.source, record, kept->bytes);
  if (!input)
    heard(input.error());
  else
    heard(look_up(query, std::move(*input)));
  return true;
}

void cached_image_service::fetch_for(image_query query, bool anew,
                                     image_heard heard) {
  const auto url = query.source;
  remote_.fetch(url, anew,
                [this, query = std::move(query), anew, at = generation_.load(),
                 heard = std::move(heard)](result<remote_fetched> got) mutable {
                  asio::post(threads_, [this, query = std::move(query), anew,
                                        at, got = std::move(got),
                                        heard = std::move(heard)]() mutable {
                    take_fetched(query, anew, at, got, std::move(heard));
                  });
                });
}

void cached_image_service::take_fetched(const image_query& query, bool anew,
                                        std::uint64_t generation,
                                        const result<remote_fetched>& got,
                                        image_heard heard) {
  if (!got) {
    denied_.put(source_key(query.source), got.error(), clock::now());
    return heard(got.error());
  }
  keep_fetched(query.source, *got, generation);
  if (!got->bytes) {
    if (answer_known(query, got->record, false, heard))
      return;
    // It is what it was, but that is gone.
    if (!anew)
      return fetch_for(query, true, std::move(heard));
    return heard(fail(errc::invalid_media,
                      "its server answers 304 to what was no condition"));
  }
  auto input = input_of(query.source, got->record, *got->bytes);
  if (!input)
    return heard(input.error());
  heard(look_up(query, std::move(*input)));
}

void cached_image_service::look_again(const std::string& url) {
  remote_.fetch(
    url, false,
    [this, url, at = generation_.load()](const result<remote_fetched>& got) {
      if (got)
        asio::post(threads_,
                   [this, url, at, got = *got] { keep_fetched(url, got, at); });
    });
}

/// Its bytes, if they are new, and when it was looked at.
void cached_image_service::keep_fetched(const std::string& url,
                                        const remote_fetched& got,
                                        std::uint64_t generation) {
  remember(url, got.record, generation);
  if (!got.bytes)
    return;
  const auto key = original_key(url, got.record.digest);
  if (memory_.find(key))
    return;
  auto kept = std::make_shared<cached_bytes>();
  kept->note.kind = original_kind;
  kept->note.cost = fetch_cost_ms;
  kept->note.source = source_mark(url);
  kept->digest = got.record.digest;
  kept->bytes = *got.bytes;
  store(key, std::move(kept), generation);
}

/// On disk alone.
void cached_image_service::remember(const std::string& url,
                                    const remote_record& record,
                                    std::uint64_t generation) {
  if (!writer_)
    return;
  auto kept = std::make_shared<cached_bytes>();
  kept->note.kind = record_kind;
  kept->note.cost = fetch_cost_ms;
  kept->note.source = source_mark(url);
  kept->bytes =
    write_record(record, std::chrono::system_clock::now(), clock::now());
  const std::lock_guard lock{keeping_};
  if (generation == generation_)
    writer_->put(record_key(url), std::move(kept));
}

/// What an earlier server knew of it.
void cached_image_service::recollect(const std::string& url) {
  if (!disk_ || remote_.knows(url))
    return;
  const std::uint64_t before = generation_;
  const auto kept = disk_->find(record_key(url));
  if (!kept)
    return;
  const auto record =
    read_record(kept->bytes, std::chrono::system_clock::now(), clock::now());
  const std::lock_guard lock{keeping_};
  if (record && before == generation_)
    remote_.restore(url, *record);
}

result<std::shared_ptr<const image_input>>
cached_image_service::input_of(const std::string& url,
                               const remote_record& record,
                               std::string_view bytes) const {
  auto input = std::make_shared<image_input>();
  auto file = file_of(bytes);
  if (!file)
    return file.error();
  input->file = std::move(*file);
  input->name = url;
  input->identity = url + '\n' + to_hex(record.digest);
  input->size = bytes.size();
  input->look = record.look;
  input->steady = true;
  return std::shared_ptr<const image_input>{std::move(input)};
}

} // namespace troupe::media
