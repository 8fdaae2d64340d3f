#include "media/workbench.hpp"

#include "config/log.hpp"
#include "config/metrics.hpp"
#include "media/child/children.hpp"
#include "media/download/download.hpp"
#include "media/download/extractor.hpp"
#include "media/download/services.hpp"
#include "media/fetch/range_fetcher.hpp"
#include "media/image_batch/job.hpp"
#include "media/imaging/service.hpp"
#include "media/loop_watch.hpp"
#include "media/noop/noop.hpp"
#include "media/probe/bad_sources.hpp"
#include "media/probe/job.hpp"
#include "media/runtime.hpp"
#include "media/stream/service.hpp"
#include "media/transcode/job.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

namespace troupe::media {

namespace {

/// Also while nobody does anything, so not often.
constexpr std::chrono::milliseconds lag_period{500};
/// Codec children that a conversion has at once.
constexpr unsigned most_of_a_film = 2;

child_limits limits_of(const config::sandbox_settings& sandbox) {
  child_limits limits;
  limits.memory = std::uint64_t{sandbox.memory_mb} << 20;
  return limits;
}

child_views views_of(const config::sandbox_settings& sandbox) {
  return {sandbox.fonts, sandbox.render_node};
}

void warn_of(const result<std::vector<sandbox_layer>>& layers) {
  if (!layers)
    return log::warn("no codec child is born",
                     {{"error", layers.error().message()}});
  for (const auto& layer : *layers)
    if (!layer.active)
      log::warn("codec children lack a layer of their sandbox",
                {{"layer", layer.name}, {"error", layer.why_not}});
}

/// Waits for the first child where its sandbox is required; else what is
/// missing is told when it is born.
result<void> check_sandbox(codec_children& children, bool required) {
  if (!required) {
    children.describe_sandbox(warn_of);
    return {};
  }
  const auto layers = children.describe_sandbox();
  if (!layers)
    return fail(errc::sandbox, layers.error().message());
  for (const auto& layer : *layers)
    if (!layer.active)
      return fail(errc::sandbox, "sandbox.required is set, but " + layer.name
                                   + " is not active: " + layer.why_not);
  return {};
}

/// Members stand in the order of their dependence: what is declared later uses
/// what is declared before it, and ends first.
class bench final : public workbench {
public:
  bench(const config::settings& settings, config::metrics& metrics,
        const std::filesystem::path& self)
    : settings_(settings), guard_(settings.sources), runner_(threads_, self),
      children_(threads_, self.parent_path() / "troupe-codec",
                limits_of(settings.sandbox), views_of(settings.sandbox)),
      proxy_(threads_, guard_), bad_{std::chrono::seconds{
                                  settings.sandbox.poison_s}},
      remote_{std::max(settings.pools.video / 2, 1u),
              std::max(std::thread::hardware_concurrency() / 2, 1u)},
      services_{settings.tools, threads_,  runner_, proxy_, guard_,
                &metrics,       children_, pauses_, bad_},
      probes_{threads_, children_, settings.library, guard_, proxy_, fetcher_,
              pauses_,  bad_,      remote_},
      extractor_(services_, settings.data.dir / "extract"),
      callbacks_(settings.callbacks, guard_),
      images_(image_service::open({settings.images, settings.library,
                                   settings.sandbox, guard_, proxy_, children_,
                                   metrics})),
      batches_{threads_, *images_, settings.library,
               settings.images.batch_workers > 0
                 ? settings.images.batch_workers
                 : std::max(std::thread::hardware_concurrency(), 1u)} {}

  /// Ended jobs have asked for the removal of what they left.
  ~bench() override {
    threads_.finish_files();
  }

  result<void> start() {
    if (const auto good = proxy_.start(); !good)
      return good;
    auto streams = stream_service::open(
      {settings_, threads_, proxy_, fetcher_, children_, bad_});
    if (!streams)
      return streams.error();
    streams_ = std::move(*streams);
    transcodes_.emplace(transcode_services{
      threads_, children_, *streams_, settings_.library,
      std::clamp(std::thread::hardware_concurrency(), 1u, most_of_a_film)});
    watch_loop();
    return check_sandbox(children_, settings_.sandbox.required);
  }

  bool has_zygote() const override {
    return children_.zygote() != 0;
  }

  std::unique_ptr<attempt>
  make_attempt(attempt_task task, std::shared_ptr<attempt_sink> sink) override {
    if (task.type == "noop")
      return make_noop(threads_, std::move(task), std::move(sink));
    if (task.type == "download")
      return make_download(services_, std::move(task), std::move(sink));
    if (task.type == "probe")
      return make_probe(probes_, std::move(task), std::move(sink));
    if (task.type == "image_batch")
      return make_image_batch(batches_, std::move(task), std::move(sink));
    if (task.type == "transcode")
      return make_transcode(*transcodes_, std::move(task), std::move(sink));
    return nullptr;
  }

  void extract(std::string url, extract_done done) override {
    extractor_.extract(std::move(url), std::move(done));
  }

  void post(callback_post what, callback_heard heard) override {
    callbacks_.post(std::move(what), std::move(heard));
  }

  image_service& images() override {
    return *images_;
  }

  stream_service& streams() override {
    return *streams_;
  }

  void on_file_thread(std::function<void()> work) override {
    boost::asio::post(threads_.files(), std::move(work));
  }

private:
  void watch_loop() {
    auto tell = [&metrics = *services_.metrics](double seconds) {
      metrics.loop_lag("media", seconds);
    };
    const auto watch = std::make_shared<loop_watch>(
      threads_.io(), lag_period, std::move(tell), [] { return true; });
    boost::asio::post(threads_.io(), [watch] { watch->start(); });
  }

  const config::settings& settings_;
  runtime threads_;
  address_guard guard_;
  tool_runner runner_;
  codec_children children_;
  egress_proxy proxy_;
  host_pauses pauses_;
  bad_sources bad_;
  remote_share remote_; ///< half of the slots of the probes' pool
  download_services services_;
  range_fetcher fetcher_;
  probe_services probes_;
  extractor extractor_;
  callback_sender callbacks_;
  const std::unique_ptr<image_service> images_;
  image_batch_services batches_;
  std::unique_ptr<stream_service> streams_;      ///< set by `start`
  std::optional<transcode_services> transcodes_; ///< as well
};

} // namespace

result<std::unique_ptr<workbench>>
workbench::open(const config::settings& settings, config::metrics& metrics,
                std::filesystem::path self) {
  auto made = std::make_unique<bench>(settings, metrics, self);
  if (const auto good = made->start(); !good)
    return good.error();
  return std::unique_ptr<workbench>{std::move(made)};
}

} // namespace troupe::media
