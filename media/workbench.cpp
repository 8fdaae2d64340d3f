#include "media/workbench.hpp"

#include "media/download/download.hpp"
#include "media/download/extractor.hpp"
#include "media/download/services.hpp"
#include "media/noop/noop.hpp"
#include "media/runtime.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace troupe::media {

namespace {

/// Members stand in the order of their dependence: what is declared later uses
/// what is declared before it, and ends first.
class bench final : public workbench {
public:
  bench(const config::settings& settings, config::metrics& metrics,
        const std::filesystem::path& self)
    : guard_(settings.sources), runner_(threads_, self),
      proxy_(threads_, guard_), services_{settings.tools,
                                          threads_,
                                          runner_,
                                          proxy_,
                                          guard_,
                                          &metrics,
                                          self.parent_path() / "troupe-codec",
                                          pauses_},
      extractor_(services_, settings.data.dir / "extract"),
      callbacks_(settings.callbacks, guard_) {}

  /// Ended jobs have asked for the removal of what they left.
  ~bench() override {
    threads_.finish_files();
  }

  result<void> start() {
    return proxy_.start();
  }

  std::unique_ptr<attempt>
  make_attempt(attempt_task task, std::shared_ptr<attempt_sink> sink) override {
    if (task.type == "noop")
      return make_noop(threads_, std::move(task), std::move(sink));
    if (task.type == "download")
      return make_download(services_, std::move(task), std::move(sink));
    return nullptr;
  }

  void extract(std::string url, extract_done done) override {
    extractor_.extract(std::move(url), std::move(done));
  }

  void post(callback_post what, callback_heard heard) override {
    callbacks_.post(std::move(what), std::move(heard));
  }

  void on_file_thread(std::function<void()> work) override {
    boost::asio::post(threads_.files(), std::move(work));
  }

private:
  runtime threads_;
  address_guard guard_;
  tool_runner runner_;
  egress_proxy proxy_;
  host_pauses pauses_;
  download_services services_;
  extractor extractor_;
  callback_sender callbacks_;
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
