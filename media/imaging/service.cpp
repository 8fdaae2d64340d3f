#include "media/imaging/service.hpp"

#include "config/log.hpp"
#include "media/cache/disk_cache.hpp"
#include "media/cache/memory_cache.hpp"
#include "media/image/child_task.hpp"
#include "media/imaging/negative_book.hpp"
#include "media/imaging/open_input.hpp"
#include "media/imaging/remote_images.hpp"
#include "media/probe/bad_sources.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

constexpr unsigned file_threads = 2;
/// Of the kinds of what is kept: a remote source's own bytes.
constexpr std::uint8_t original_kind = 255;
/// Part of every key: raise it when the same options make another image.
constexpr std::string_view revision = "1";

image_limits limits_of(const config::image_settings& from) {
  image_limits to;
  to.bytes = from.max_bytes;
  to.pixels = from.max_pixels;
  to.all_pixels = std::max(to.all_pixels, from.max_pixels);
  to.frames = from.max_frames;
  return to;
}

std::vector<image_format> readable_of(const config::image_settings& from) {
  auto out = image_order{}.readable;
  for (const auto& name : from.readable)
    out.push_back(format_named(name));
  return out;
}

bool is_remote(std::string_view source) {
  return source.starts_with("http://") || source.starts_with("https://");
}

cache_key original_key(const std::string& url, const cache_key& digest) {
  return key_of("original\n" + to_hex(digest) + '\n' + url);
}

cache_key source_key(const std::string& url) {
  return key_of("source\n" + url);
}

std::vector<std::uint64_t> marks_of(const std::vector<std::string>& tags) {
  std::vector<std::uint64_t> out;
  for (const auto& tag : tags)
    out.push_back(mark_of(tag));
  return out;
}

/// Members stand in the order of their dependence: threads end first.
class service final : public image_service {
public:
  explicit service(image_parts parts)
    : parts_(parts), rules_(rules_of(parts.settings)),
      memory_(parts.settings.memory_bytes),
      denied_(std::chrono::milliseconds{
        static_cast<std::int64_t>(parts.settings.negative_s * 1000)}),
      bad_(std::chrono::seconds{parts.sandbox.poison_s}),
      remote_(parts.settings, parts.guard, parts.proxy, fetcher_) {}

  ~service() override {
    threads_.join();
  }

  void open_disk() {
    if (parts_.settings.disk_bytes == 0)
      return;
    auto opened =
      disk_cache::open(parts_.settings.cache_dir, parts_.settings.disk_bytes);
    if (!opened)
      return log::warn("no images are kept on disk",
                       {{"error", opened.error().message()}});
    disk_ = std::move(*opened);
    asio::post(threads_, [this] { disk_->sweep(); });
  }

  const option_rules& rules() const override {
    return rules_;
  }

  void find(image_query query, image_heard heard) override {
    asio::post(threads_, [this, query = std::move(query),
                          heard = std::move(heard)]() mutable {
      if (query.input)
        return heard(look_up(query, query.input));
      if (is_remote(query.source))
        return find_remote(std::move(query), std::move(heard));
      auto input = open_input(query.source, query.job_result, parts_.library);
      if (!input)
        return heard(input.error());
      heard(look_up(query, std::move(*input)));
    });
  }

  cached_ptr recall(const cache_key& key) override {
    return memory_.find(key);
  }

  result<cached_ptr> keep(const image_work& work, image_made made) override;
  void deny(const image_work& work, const failure& why) override {
    denied_.put(work.key, why, clock::now());
  }
  bool crashed(const image_work& work) override {
    return bad_.crashed(work.input->identity);
  }

  child_task compose(const std::vector<work_ptr>& works,
                     std::chrono::milliseconds limit) const override;

  std::unique_ptr<codec_child> open_child(bool batch) override {
    return parts_.children.open(child_life::lasting, child_profile::media,
                                batch ? child_rank::batch
                                      : child_rank::waited_for);
  }

  void purge(purge_order order, std::string source,
             std::function<void(result<std::uint64_t>)> heard) override;
  image_figures figures() const override;

private:
  result<image_found> look_up(const image_query& query,
                              std::shared_ptr<const image_input> input);
  cached_ptr look_into(const cache_key& key);
  void count_hit(const cached_bytes& image);
  image_options chosen(const image_query& query, const image_look& look) const;
  cache_key key_for(const image_options& options, const std::string& identity,
                    bool hurry) const;
  void store(const cache_key& key, cached_ptr what, std::uint64_t generation);

  // remote sources
  void find_remote(image_query query, image_heard heard);
  void fetch_for(image_query query, bool anew, image_heard heard);
  void take_fetched(const image_query& query, bool anew,
                    result<remote_fetched> got, image_heard heard);
  void look_again(const std::string& url);
  result<std::shared_ptr<const image_input>>
  input_of(const std::string& url, const remote_record& record,
           std::string_view bytes) const;
  void keep_original(const std::string& url, const remote_fetched& got);
  bool answer_known(const image_query& query, const remote_record& record,
                    bool stale, const image_heard& heard);

  const image_parts parts_;
  const option_rules rules_;
  memory_cache memory_;
  std::unique_ptr<disk_cache> disk_; ///< null: none
  negative_book denied_;
  bad_sources bad_;
  std::atomic<std::uint64_t> generation_ = 0;
  std::atomic<std::uint64_t> hits_ = 0, disk_hits_ = 0, misses_ = 0, stale_ = 0,
                             told_again_ = 0;
  std::atomic<std::uint64_t> saved_us_ = 0;
  remote_images remote_;
  asio::thread_pool threads_{file_threads};
  range_fetcher fetcher_;
};

// -- keys ---------------------------------------------------------------------

image_options service::chosen(const image_query& query,
                              const image_look& look) const {
  auto options = query.options;
  const auto& settings = parts_.settings;
  if (options.format == image_format::none && !options.raw)
    options.format =
      choose_format(look, {query.accepted.avif && settings.avif,
                           query.accepted.webp && settings.webp});
  return options;
}

cache_key service::key_for(const image_options& options,
                           const std::string& identity, bool hurry) const {
  std::string text = "image\n" + identity + '\n' + canonical_text(options);
  text.append("\n").append(revision);
  // Nothing else is made in haste.
  text += hurry && options.format == image_format::avif ? " hurry" : "";
  text += parts_.settings.lenient ? " lenient" : "";
  if (options.watermark)
    text += " " + parts_.settings.watermark.string();
  return key_of(text);
}

// -- looking ------------------------------------------------------------------

void service::count_hit(const cached_bytes& image) {
  ++hits_;
  saved_us_ += static_cast<std::uint64_t>(image.note.cost * 1000);
}

cached_ptr service::look_into(const cache_key& key) {
  if (auto here = memory_.find(key)) {
    count_hit(*here);
    return here;
  }
  if (!disk_)
    return nullptr;
  auto here = disk_->find(key);
  if (!here)
    return nullptr;
  ++disk_hits_;
  count_hit(*here);
  memory_.put(key, here);
  return here;
}

result<image_found> service::look_up(const image_query& query,
                                     std::shared_ptr<const image_input> input) {
  auto work = std::make_shared<image_work>();
  work->generation = generation_;
  work->options = chosen(query, input->look);
  work->key = key_for(work->options, input->identity, query.hurry);
  if (auto here = look_into(work->key))
    return image_found{std::move(here), false, nullptr};
  if (auto why = denied_.find(work->key, clock::now())) {
    ++told_again_;
    return std::move(*why);
  }
  if (const auto left = bad_.refused(input->identity); left > 0)
    return fail(errc::poison_source,
                "it crashed what read it, and is refused for another "
                  + std::to_string(std::lround(std::ceil(left))) + " s");
  ++misses_;
  work->input = std::move(input);
  work->hurry = query.hurry;
  work->tags = marks_of(query.options.tags);
  return image_found{nullptr, false, std::move(work)};
}

// -- remote sources -----------------------------------------------------------

void service::find_remote(image_query query, image_heard heard) {
  if (auto why = denied_.find(source_key(query.source), clock::now())) {
    ++told_again_;
    return heard(std::move(*why));
  }
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
bool service::answer_known(const image_query& query,
                           const remote_record& record, bool stale,
                           const image_heard& heard) {
  const auto options = chosen(query, record.look);
  const auto identity = query.source + '\n' + to_hex(record.digest);
  if (auto here = look_into(key_for(options, identity, query.hurry))) {
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

void service::fetch_for(image_query query, bool anew, image_heard heard) {
  const auto url = query.source;
  remote_.fetch(url, anew,
                [this, query = std::move(query), anew,
                 heard = std::move(heard)](result<remote_fetched> got) mutable {
                  asio::post(threads_, [this, query = std::move(query), anew,
                                        got = std::move(got),
                                        heard = std::move(heard)]() mutable {
                    take_fetched(query, anew, std::move(got), std::move(heard));
                  });
                });
}

void service::take_fetched(const image_query& query, bool anew,
                           result<remote_fetched> got, image_heard heard) {
  if (!got) {
    denied_.put(source_key(query.source), got.error(), clock::now());
    return heard(got.error());
  }
  if (!got->bytes) {
    if (answer_known(query, got->record, false, heard))
      return;
    // It is what it was, but that is gone.
    if (!anew)
      return fetch_for(query, true, std::move(heard));
    return heard(fail(errc::source_unavailable,
                      "its server answers 304 to what was no condition"));
  }
  keep_original(query.source, *got);
  auto input = input_of(query.source, got->record, *got->bytes);
  if (!input)
    return heard(input.error());
  heard(look_up(query, std::move(*input)));
}

void service::look_again(const std::string& url) {
  remote_.fetch(url, false, [this, url](const result<remote_fetched>& got) {
    if (got && got->bytes)
      asio::post(threads_,
                 [this, url, got = *got] { keep_original(url, got); });
  });
}

void service::keep_original(const std::string& url, const remote_fetched& got) {
  auto kept = std::make_shared<cached_bytes>();
  kept->note.kind = original_kind;
  kept->note.cost = 100;
  kept->note.source = mark_of(url);
  kept->digest = got.record.digest;
  kept->bytes = *got.bytes;
  store(original_key(url, got.record.digest), std::move(kept), generation_);
}

result<std::shared_ptr<const image_input>>
service::input_of(const std::string& url, const remote_record& record,
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

// -- keeping ------------------------------------------------------------------

/// On a thread that may block.
void service::store(const cache_key& key, cached_ptr what,
                    std::uint64_t generation) {
  if (generation != generation_)
    return;
  memory_.put(key, what);
  if (!disk_)
    return;
  if (const auto done = disk_->put(key, *what); !done)
    log::warn("an image is not kept on disk",
              {{"error", done.error().message()}});
  // A purge that came between would have missed it.
  if (generation != generation_)
    disk_->purge({purge_order::kind::source, what->note.source});
}

result<cached_ptr> service::keep(const image_work& work, image_made made) {
  if (!work.input->steady && is_changed(*work.input))
    return fail(errc::source_changed, "it changed while it was read");
  auto out = std::make_shared<cached_bytes>();
  out->note.kind = static_cast<std::uint8_t>(made.format);
  out->note.cost = static_cast<float>(made.made_ms);
  out->note.source = mark_of(work.input->name);
  out->note.tags = work.tags;
  out->digest = key_of(made.bytes);
  out->bytes = std::move(made.bytes);
  bad_.read(work.input->identity);
  if (work.generation != generation_)
    return cached_ptr{std::move(out)};
  memory_.put(work.key, out);
  asio::post(threads_, [this, key = work.key, out, at = work.generation] {
    store(key, out, at);
  });
  return cached_ptr{std::move(out)};
}

child_task service::compose(const std::vector<work_ptr>& works,
                            std::chrono::milliseconds limit) const {
  const auto& input = *works.front()->input;
  image_order order;
  for (const auto& each : works)
    order.outputs.push_back(each->options);
  order.hurry = works.front()->hurry;
  order.lenient = parts_.settings.lenient;
  order.limits = limits_of(parts_.settings);
  order.readable = readable_of(parts_.settings);
  const auto wants_mark = [](const work_ptr& each) {
    return each->options.watermark.has_value();
  };
  descriptor mark;
  if (std::any_of(works.begin(), works.end(), wants_mark))
    mark.reset(::open(parts_.settings.watermark.c_str(), O_RDONLY | O_CLOEXEC));
  order.has_watermark = static_cast<bool>(mark);
  descriptor file{::fcntl(input.file.get(), F_DUPFD_CLOEXEC, 0)};
  auto task = image_task(std::move(order), std::move(file), std::move(mark));
  task.life = limit;
  task.stall = limit;
  task.cpu = limit;
  return task;
}

void service::purge(purge_order order, std::string source,
                    std::function<void(result<std::uint64_t>)> heard) {
  ++generation_;
  if (order.what == purge_order::kind::source)
    remote_.forget(source);
  else
    remote_.forget_all();
  denied_.clear();
  memory_.purge(order);
  asio::post(threads_, [this, order, heard = std::move(heard)] {
    const auto here = memory_.purge(order);
    heard(disk_ ? disk_->purge(order) : here);
  });
}

image_figures service::figures() const {
  image_figures out;
  out.memory = memory_.figures();
  if (disk_)
    out.disk = disk_->figures();
  out.hits = hits_;
  out.disk_hits = disk_hits_;
  out.misses = misses_;
  out.stale = stale_;
  out.denied = told_again_;
  out.fetches = remote_.fetches();
  out.saved_ms = static_cast<double>(saved_us_) / 1000;
  return out;
}

} // namespace

option_rules rules_of(const config::image_settings& from) {
  option_rules to;
  for (const auto& each : from.presets) {
    const auto equals = each.find('=');
    to.presets[each.substr(0, equals)] = each.substr(equals + 1);
  }
  to.presets_only = from.presets_only;
  to.has_watermark = !from.watermark.empty();
  return to;
}

std::unique_ptr<image_service> image_service::open(image_parts parts) {
  auto made = std::make_unique<service>(parts);
  made->open_disk();
  return made;
}

} // namespace troupe::media
