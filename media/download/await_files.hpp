#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace troupe::media {

/// Runs `work` on a thread that may block, for a coroutine that may not, and
/// comes back to that coroutine's thread. What `work` refers to has to live
/// until then, which the coroutine's own frame sees to.
template <class Work>
[[nodiscard]] boost::asio::awaitable<std::invoke_result_t<Work&>>
on_file_thread(boost::asio::any_io_executor files, Work work) {
  using value = std::invoke_result_t<Work&>;
  // Shared, since co_spawn asks for values that can be made of nothing.
  auto call = [](Work inner) -> boost::asio::awaitable<std::shared_ptr<value>> {
    co_return std::make_shared<value>(inner());
  };
  auto task = call(std::move(work));
  auto made = co_await boost::asio::co_spawn(files, std::move(task),
                                             boost::asio::use_awaitable);
  co_return std::move(*made);
}

} // namespace troupe::media
