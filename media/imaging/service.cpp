#include "media/imaging/service_state.hpp"

#include "config/log.hpp"
#include "media/imaging/open_input.hpp"
#include "media/imaging/source_name.hpp"
#include "media/imaging/work_cost.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

constexpr unsigned file_threads = 2;
/// Part of every key: raise it when the same options make another image.
constexpr std::string_view revision = "1";

bool is_remote(std::string_view source) {
  return source.starts_with("http://") || source.starts_with("https://");
}

std::vector<std::uint64_t> marks_of(const std::vector<std::string>& tags) {
  std::vector<std::uint64_t> out;
  for (const auto& tag : tags)
    out.push_back(mark_of(tag));
  return out;
}

} // namespace

cached_image_service::cached_image_service(image_parts parts)
  : parts_(parts), rules_(rules_of(parts.settings)),
    memory_(parts.settings.memory_bytes),
    denied_(std::chrono::milliseconds{
      static_cast<std::int64_t>(parts.settings.negative_s * 1000)}),
    bad_(std::chrono::seconds{parts.sandbox.poison_s}),
    remote_(parts.settings, parts.guard, parts.proxy, fetcher_),
    threads_(file_threads) {}

cached_image_service::~cached_image_service() {
  threads_.join();
}

void cached_image_service::open_disk() {
  if (parts_.settings.disk_bytes == 0)
    return;
  auto opened =
    disk_cache::open(parts_.settings.cache_dir, parts_.settings.disk_bytes);
  if (!opened)
    return log::warn("no images are kept on disk",
                     {{"error", opened.error().message()}});
  disk_ = std::move(*opened);
  writer_ = std::make_unique<cache_writer>(
    [this](const cache_key& key, const cached_bytes& what) {
      return disk_->put(key, what);
    },
    most_unwritten);
  writer_->after([this] { disk_->sweep(); });
}

void cached_image_service::find(image_query query, image_heard heard) {
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

cached_ptr cached_image_service::recall(const image_work& work) {
  const std::uint64_t before = generation_;
  auto here = memory_.find(work.key);
  return here ? tagged(work.key, std::move(here), work.tags, before) : nullptr;
}

void cached_image_service::deny(const image_work& work, const failure& why) {
  denied_.put(work.key, why, clock::now());
}

bool cached_image_service::crashed(const image_work& work) {
  return bad_.crashed(work.input->identity);
}

std::unique_ptr<codec_child> cached_image_service::open_child(bool batch,
                                                              bool sets_text) {
  return parts_.children.open(
    child_life::lasting, sets_text ? child_profile::text : child_profile::media,
    batch ? child_rank::batch : child_rank::waited_for);
}

// -- keys ---------------------------------------------------------------------

image_options cached_image_service::chosen(const image_query& query,
                                           const image_look& look) const {
  auto options = query.options;
  const auto& settings = parts_.settings;
  if (options.format == image_format::none && !options.raw)
    options.format =
      choose_format(look, {query.accepted.avif && settings.avif,
                           query.accepted.webp && settings.webp});
  return options;
}

/// Another for every version of the watermark.
std::string cached_image_service::mark_identity() const {
  const auto& settings = parts_.settings;
  if (!settings.watermark_text.empty())
    return "text " + settings.watermark_text;
  return identity_of_file(settings.watermark);
}

cache_key cached_image_service::key_for(const image_options& options,
                                        const std::string& identity,
                                        bool hurry) const {
  std::string text = "image\n" + identity + '\n' + canonical_text(options);
  text.append("\n").append(revision);
  // Nothing else is made in haste.
  text += hurry && options.format == image_format::avif ? " hurry" : "";
  text += parts_.settings.lenient ? " lenient" : "";
  if (options.watermark)
    text += ' ' + mark_identity();
  return key_of(text);
}

// -- looking ------------------------------------------------------------------

void cached_image_service::count_hit(const cached_bytes& image) {
  ++hits_;
  saved_us_ += static_cast<std::uint64_t>(image.note.cost * 1000);
}

/// Has a purge by these tags meet it, too.
cached_ptr cached_image_service::tagged(const cache_key& key, cached_ptr what,
                                        const std::vector<std::uint64_t>& tags,
                                        std::uint64_t generation) {
  auto note = what->note;
  if (!note.add_tags(tags))
    return what;
  const std::lock_guard lock{keeping_};
  if (generation != generation_)
    return what;
  // Others may have noted theirs by now.
  if (auto newest = memory_.find(key))
    what = std::move(newest);
  auto out = std::make_shared<cached_bytes>(*what);
  if (!out->note.add_tags(tags))
    return what;
  memory_.put(key, out);
  if (writer_)
    writer_->put(key, out);
  return out;
}

cached_ptr
cached_image_service::look_into(const cache_key& key,
                                const std::vector<std::uint64_t>& tags) {
  const std::uint64_t before = generation_;
  if (auto here = memory_.find(key)) {
    count_hit(*here);
    return tagged(key, std::move(here), tags, before);
  }
  if (!disk_)
    return nullptr;
  auto here = disk_->find(key);
  if (!here)
    return nullptr;
  ++disk_hits_;
  count_hit(*here);
  hold(key, here, before);
  return tagged(key, std::move(here), tags, before);
}

/// What nobody had to hurry for is the better one.
cached_ptr cached_image_service::look_for(const image_query& query,
                                          const image_options& options,
                                          const std::string& identity) {
  const auto tags = marks_of(query.options.tags);
  if (query.hurry && options.format == image_format::avif)
    if (auto better = look_into(key_for(options, identity, false), tags))
      return better;
  return look_into(key_for(options, identity, query.hurry), tags);
}

bool cached_image_service::sets_text(const image_work& work) const {
  return (work.options.watermark && !parts_.settings.watermark_text.empty())
         || (!work.feed && work.input->look.format == image_format::svg);
}

/// An image of its source that is kept and may be read instead.
std::shared_ptr<const image_feed>
cached_image_service::feed_for(const image_work& work) {
  const auto found = variants_.feed_of(work.input->identity, work.options,
                                       parts_.settings.derive_lossy);
  if (!found)
    return nullptr;
  const auto here = memory_.find(found->key);
  const auto kept = here ? here : (disk_ ? disk_->find(found->key) : nullptr);
  if (!kept)
    return nullptr;
  auto file = file_of(kept->bytes);
  if (!file)
    return nullptr;
  ++derived_;
  return std::make_shared<const image_feed>(
    image_feed{std::move(*file), found->source, found->key});
}

result<image_found> cached_image_service::look_up(const image_query& query,
                                                  input_ptr input) {
  auto work = std::make_shared<image_work>();
  work->generation = generation_;
  work->options = chosen(query, input->look);
  work->key = key_for(work->options, input->identity, query.hurry);
  if (auto here = look_for(query, work->options, input->identity))
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
  work->extent = extent_of(input->file.get(), input->look.format);
  work->input = std::move(input);
  work->hurry = query.hurry;
  work->tags = marks_of(query.options.tags);
  if (query.hurry)
    work->feed = feed_for(*work);
  work->sets_text = sets_text(*work);
  return image_found{nullptr, false, std::move(work)};
}

// -- keeping ------------------------------------------------------------------

/// In memory. False: a purge came between.
bool cached_image_service::hold(const cache_key& key, cached_ptr what,
                                std::uint64_t generation) {
  const std::lock_guard lock{keeping_};
  if (generation == generation_)
    memory_.put(key, std::move(what));
  return generation == generation_;
}

/// On disk, too, as soon as that can be.
bool cached_image_service::store(const cache_key& key, cached_ptr what,
                                 std::uint64_t generation) {
  const std::lock_guard lock{keeping_};
  if (generation != generation_)
    return false;
  memory_.put(key, what);
  if (writer_)
    writer_->put(key, std::move(what));
  return true;
}

result<cached_ptr> cached_image_service::keep(const image_work& work,
                                              image_made made,
                                              const image_facts& source) {
  if (!work.input->steady && is_changed(*work.input))
    return fail(errc::source_changed, "it changed while it was read");
  auto out = std::make_shared<cached_bytes>();
  out->note.kind = static_cast<std::uint8_t>(made.format);
  out->note.cost = static_cast<float>(made.made_ms);
  out->note.source = source_mark(work.input->name);
  out->note.add_tags(work.tags);
  out->digest = key_of(made.bytes);
  out->bytes = std::move(made.bytes);
  bad_.read(work.input->identity);
  if (store(work.key, out, work.generation) && !work.feed)
    variants_.add(
      work.input->identity,
      {{work.options, made.format, made.quality}, source, work.key});
  return cached_ptr{std::move(out)};
}

void cached_image_service::purge(
  purge_order order, std::function<void(result<std::uint64_t>)> heard) {
  asio::post(threads_, [this, order, heard = std::move(heard)]() mutable {
    const std::lock_guard lock{keeping_};
    ++generation_;
    remote_.forget(order);
    denied_.clear();
    variants_.clear();
    const auto now = memory_.purge(order);
    if (!writer_)
      return heard(now);
    // After what was kept before. Most of it lies in both.
    writer_->after([this, order, now, heard = std::move(heard)] {
      heard(std::max(now, disk_->purge(order)));
    });
  });
}

image_figures cached_image_service::figures() const {
  image_figures out;
  out.memory = memory_.figures();
  if (disk_)
    out.disk = disk_->figures();
  if (writer_)
    out.disk.dropped = writer_->dropped();
  out.hits = hits_;
  out.disk_hits = disk_hits_;
  out.misses = misses_;
  out.stale = stale_;
  out.denied = told_again_;
  out.fetches = remote_.fetches();
  out.derived = derived_;
  out.saved_ms = static_cast<double>(saved_us_) / 1000;
  return out;
}

option_rules rules_of(const config::image_settings& from) {
  option_rules to;
  for (const auto& each : from.presets) {
    const auto equals = each.find('=');
    to.presets[each.substr(0, equals)] = each.substr(equals + 1);
  }
  to.presets_only = from.presets_only;
  to.has_watermark = !from.watermark.empty() || !from.watermark_text.empty();
  return to;
}

std::unique_ptr<image_service> image_service::open(image_parts parts) {
  auto made = std::make_unique<cached_image_service>(parts);
  made->open_disk();
  return made;
}

} // namespace troupe::media
