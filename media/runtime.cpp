#include "media/runtime.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <optional>
#include <thread>

namespace troupe::media {

namespace asio = boost::asio;

/// Invariant: the file pool is gone before the io context is, since what
/// waits in the pool may own timers and sockets of the context.
struct runtime::impl {
  explicit impl(unsigned file_threads)
    : work(asio::make_work_guard(waiting)), waiter([this] { waiting.run(); }) {
    files.emplace(file_threads);
  }

  ~impl() {
    waiting.stop();
    waiter.join();
    files.reset();
  }

  asio::io_context waiting{1};
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::optional<asio::thread_pool> files;
  std::thread waiter;
};

runtime::runtime(unsigned file_threads)
  : impl_(std::make_unique<impl>(file_threads)) {}

runtime::~runtime() = default;

asio::any_io_executor runtime::io() {
  return impl_->waiting.get_executor();
}

asio::any_io_executor runtime::files() {
  return impl_->files->get_executor();
}

void runtime::finish_files() {
  impl_->files->join();
}

} // namespace troupe::media
