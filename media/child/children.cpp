#include "media/child/children.hpp"

#include "media/child/child_process.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <future>
#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::int32_t batch_nice = 10;

class child_handle final : public codec_child {
public:
  child_handle(asio::any_io_executor io, std::shared_ptr<child_process> child)
    : io_(std::move(io)), child_(std::move(child)) {}

  ~child_handle() override {
    child_->silence();
    asio::post(io_, [child = child_] { child->leave(); });
  }

  void run(child_task task, child_listener listener) override {
    asio::post(io_, [child = child_, task = std::move(task),
                     listener = std::move(listener)]() mutable {
      child->run(std::move(task), std::move(listener));
    });
  }

  void stop(errc why) override {
    asio::post(io_, [child = child_, why] { child->stop(why); });
  }

private:
  asio::any_io_executor io_;
  std::shared_ptr<child_process> child_;
};

/// Lines `NAME yes` or `NAME no: REASON`.
std::vector<sandbox_layer> read_layers(std::string_view text) {
  std::vector<sandbox_layer> layers;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    const auto name = line.substr(0, line.find(' '));
    const auto rest = line.substr(std::min(name.size() + 1, line.size()));
    const bool active = rest == "yes";
    const auto why = rest.substr(std::min<std::size_t>(4, rest.size()));
    layers.push_back(
      {std::string{name}, active, std::string{active ? "" : why}});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return layers;
}

} // namespace

struct codec_children::impl {
  runtime& threads;
  const child_limits limits;
  std::shared_ptr<zygote_link> zygote;
  std::shared_ptr<child_census> census = std::make_shared<child_census>();
};

codec_children::codec_children(runtime& threads, std::filesystem::path program,
                               child_limits limits, child_views views,
                               std::filesystem::path oom_events)
  : impl_(new impl{threads, limits,
                   std::make_shared<zygote_link>(threads, std::move(program),
                                                 std::move(views),
                                                 std::move(oom_events))}) {
  asio::post(threads.io(), [zygote = impl_->zygote] { zygote->start(); });
}

codec_children::~codec_children() {
  asio::post(impl_->threads.io(), [census = impl_->census] {
    for (const auto& child : census->all())
      child->leave();
  });
  impl_->census->wait_until_empty(3s);
  std::promise<void> stopped;
  asio::post(impl_->threads.io(), [&stopped, zygote = impl_->zygote] {
    zygote->stop();
    stopped.set_value();
  });
  stopped.get_future().wait();
  // What a zygote that hung was asked for ends with it.
  impl_->census->wait_until_empty(1s);
}

std::unique_ptr<codec_child> codec_children::open(child_life life,
                                                  child_profile profile,
                                                  child_rank rank,
                                                  std::uint64_t writes) {
  auto limits = impl_->limits;
  limits.file_size = std::max(limits.file_size, writes);
  limits.profile = profile;
  limits.nice = rank == child_rank::batch ? batch_nice : 0;
  return std::make_unique<child_handle>(
    impl_->threads.io(),
    std::make_shared<child_process>(impl_->threads, impl_->zygote,
                                    impl_->census, life, limits));
}

void codec_children::describe_sandbox(sandbox_told done,
                                      child_profile profile) {
  // The listener owns its child, until the child's end lets go of both.
  const std::shared_ptr<codec_child> child =
    open(child_life::one_task, profile);
  child_task task;
  task.name = "sandbox";
  child->run(std::move(task),
             {{}, {}, [child, done = std::move(done)](child_end end) {
                if (end.code == errc::none)
                  done(read_layers(end.result));
                else
                  done(fail(end.code, end.message));
              }});
}

result<std::vector<sandbox_layer>>
codec_children::describe_sandbox(child_profile profile) {
  using told = result<std::vector<sandbox_layer>>;
  auto ended = std::make_shared<std::promise<told>>();
  auto answer = ended->get_future();
  describe_sandbox(
    [ended](told layers) { ended->set_value(std::move(layers)); }, profile);
  return answer.get();
}

pid_t codec_children::zygote() const noexcept {
  return impl_->zygote->pid();
}

std::size_t codec_children::count() const {
  return impl_->census->count();
}

} // namespace troupe::media
