#include "media/download/download.hpp"

#include "media/download/run.hpp"

#include <utility>

namespace troupe::media {

namespace {

class download_attempt final : public attempt {
public:
  explicit download_attempt(std::shared_ptr<download_run> run)
    : run_(std::move(run)) {}

  ~download_attempt() override {
    run_->abandon();
  }
  void start() override {
    run_->start();
  }
  void cancel(errc why) override {
    run_->stop(why);
  }

private:
  std::shared_ptr<download_run> run_;
};

} // namespace

std::unique_ptr<attempt> make_download(const download_services& services,
                                       attempt_task task,
                                       std::shared_ptr<attempt_sink> sink) {
  return std::make_unique<download_attempt>(
    std::make_shared<download_run>(services, std::move(task), std::move(sink)));
}

} // namespace troupe::media
