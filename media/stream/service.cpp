#include "media/stream/service.hpp"

#include "config/log.hpp"
#include "media/av/child_task.hpp"
#include "media/cache/cache_writer.hpp"
#include "media/cache/disk_cache.hpp"
#include "media/cache/memory_cache.hpp"
#include "media/probe/bad_sources.hpp"
#include "media/stream/held_bytes.hpp"
#include "media/stream/remote_films.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <fcntl.h>

#include <algorithm>
#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;

constexpr unsigned film_threads = 2;
/// Of reading a source at its end; decoding a long group takes most of it.
constexpr std::chrono::milliseconds task_life{60'000};
constexpr std::chrono::milliseconds index_stall{20'000};
constexpr std::chrono::milliseconds scan_life{600'000};

result<source_ptr> judged(result<source_ptr> opened, bad_sources& bad) {
  if (opened && bad.refused((*opened)->identity) > 0)
    return fail(errc::poison_source, "it crashed who read it lately");
  return opened;
}

/// Members stand in the order of their dependence: threads end first.
class service final : public stream_service {
public:
  service(stream_parts parts, std::vector<std::string> keys)
    : parts_(parts), signer_(std::move(keys)),
      remote_(parts.threads, parts.fetcher, parts.proxy),
      memory_(parts.settings.streams.memory_bytes) {}

  ~service() override {
    threads_.join();
  }

  void open_disk() {
    const auto& from = parts_.settings.streams;
    if (from.disk_bytes == 0)
      return;
    auto opened = disk_cache::open(from.cache_dir, from.disk_bytes);
    if (!opened)
      return log::warn("no segments are kept on disk",
                       {{"error", opened.error().message()}});
    disk_ = std::move(*opened);
    writer_ = std::make_unique<cache_writer>(
      [this](const cache_key& key, const cached_bytes& what) {
        return disk_->put(key, what);
      },
      most_unwritten);
    writer_->after([this] { disk_->sweep(); });
  }

  const stream_signer& signer() const override {
    return signer_;
  }

  void open_source(std::string source, std::string job_result,
                   source_heard heard) override {
    auto judge = [&bad = parts_.bad,
                  heard = std::move(heard)](result<source_ptr> opened) {
      heard(judged(std::move(opened), bad));
    };
    if (source.starts_with("http://") || source.starts_with("https://"))
      return remote_.open(std::move(source), std::move(judge));
    asio::post(threads_, [this, source = std::move(source),
                          job_result = std::move(job_result),
                          judge = std::move(judge)] {
      judge(open_stream_source(source, job_result, parts_.settings.library));
    });
  }

  cached_ptr recall(const cache_key& key) override {
    auto here = memory_.find(key);
    return here ? here : held_.find(key);
  }

  void look_up(const cache_key& key, cached_heard heard) override {
    if (auto here = recall(key); here || !disk_)
      return heard(std::move(here));
    asio::post(threads_, [this, key, heard = std::move(heard)] {
      auto found = disk_->find(key);
      if (found)
        share(key, found);
      heard(std::move(found));
    });
  }

  cached_ptr keep(const cache_key& key, stream_part part, std::string bytes,
                  double cost_ms, stream_keep where) override {
    auto made = std::make_shared<cached_bytes>();
    made->note.kind = static_cast<std::uint8_t>(part);
    made->note.cost = static_cast<float>(cost_ms);
    made->bytes = std::move(bytes);
    share(key, made);
    if (where == stream_keep::disk && writer_)
      writer_->put(key, made);
    return made;
  }

  child_task compose(const stream_source& source, av_order order,
                     std::chrono::milliseconds stall) override {
    const auto what = order.what;
    const bool scan = order.scan || what == av_what::subtitles;
    auto task =
      source.file
        ? av_task(std::move(order),
                  descriptor{::fcntl(source.file.get(), F_DUPFD_CLOEXEC, 0)})
        : av_task(std::move(order), {}, remote_.reader_of(source));
    // What reads a whole file tells nothing meanwhile.
    task.stall = scan                     ? scan_life
                 : what == av_what::index ? std::max(stall, index_stall)
                                          : stall;
    task.life = scan ? scan_life : task_life;
    task.cpu = task.life;
    return task;
  }

  void renew(const stream_source& source) override {
    if (!source.url.empty())
      remote_.close(source);
  }

  std::unique_ptr<codec_child> open_child(child_rank rank) override {
    return parts_.children.open(child_life::lasting, child_profile::media,
                                rank);
  }

  bool crashed(const stream_source& source) override {
    return parts_.bad.crashed(source.identity);
  }

  stream_figures figures() const override {
    stream_figures out{memory_.figures(), {}};
    if (!disk_)
      return out;
    out.disk = disk_->figures();
    out.disk.dropped = writer_->dropped();
    return out;
  }

private:
  void share(const cache_key& key, const cached_ptr& what) {
    memory_.put(key, what);
    held_.note(key, what);
  }

  const stream_parts parts_;
  const stream_signer signer_;
  remote_films remote_;
  memory_cache memory_;
  held_bytes held_;
  std::unique_ptr<disk_cache> disk_;     ///< null: none
  std::unique_ptr<cache_writer> writer_; ///< null: no disk
  asio::thread_pool threads_{film_threads};
};

} // namespace

result<std::unique_ptr<stream_service>>
stream_service::open(stream_parts parts) {
  const auto& settings = parts.settings;
  auto keys =
    load_stream_keys(settings.streams.keys, settings.data.dir / "stream.key");
  if (!keys)
    return keys.error();
  auto made = std::make_unique<service>(parts, std::move(*keys));
  made->open_disk();
  return std::unique_ptr<stream_service>{std::move(made)};
}

} // namespace troupe::media
