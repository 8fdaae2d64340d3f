#include "media/workbench.hpp"

#include "media/noop/noop.hpp"
#include "media/runtime.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace troupe::media {

namespace {

class bench final : public workbench {
public:
  std::unique_ptr<attempt>
  make_attempt(attempt_task task, std::shared_ptr<attempt_sink> sink) override {
    if (task.type == "noop")
      return make_noop(threads_, std::move(task), std::move(sink));
    return nullptr;
  }

  void extract(std::string url, extract_done done) override {
    done(fail(errc::unsupported_url, std::move(url)));
  }

  void on_file_thread(std::function<void()> work) override {
    boost::asio::post(threads_.files(), std::move(work));
  }

private:
  runtime threads_;
};

} // namespace

result<std::unique_ptr<workbench>> workbench::open(const config::settings&,
                                                   config::metrics&,
                                                   std::filesystem::path) {
  return std::make_unique<bench>();
}

} // namespace troupe::media
