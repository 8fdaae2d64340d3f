#pragma once

#include "media/child/birth_book.hpp"
#include "media/child/codec_group.hpp"
#include "media/child/order.hpp"
#include "media/descriptor.hpp"
#include "media/runtime.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <sys/types.h>

namespace troupe::media {

/// A started zygote.
struct spawned_zygote {
  pid_t pid = 0;
  descriptor process; ///< pidfd
  descriptor control; ///< its end is the zygote's
};

/// Starts `program zygote`: in a session of its own, with nothing inherited
/// but /dev/null, stderr, its control socket and the memory of births. No
/// process with errno if not.
[[nodiscard]] spawned_zygote spawn_zygote(const std::filesystem::path& program,
                                          int births,
                                          const child_views& views = {});

/// The one zygote of this server. One that dies is replaced at once, one that
/// dies young after a pause that doubles up to 5 s. Everything but
/// construction and `pid` runs on the io thread. Invariant: `control_` is set
/// exactly while a zygote is believed to live.
class zygote_link : public std::enable_shared_from_this<zygote_link> {
public:
  zygote_link(runtime& threads, std::filesystem::path program,
              child_views views, std::filesystem::path oom_events);

  void start();
  /// Ends the zygote and replaces it no more.
  void stop();
  /// Kills a zygote that does not answer; the next takes its place.
  void replace();

  /// Asks for a child with these ends; `order` names a line of `births`. False
  /// if nobody can be asked now; true promises nothing: should the zygote die
  /// first, the child's socket ends, and the line says whether it was born.
  [[nodiscard]] bool ask(const spawn_order& order, int socket, int lifeline);

  /// So often somebody of its children's group was killed for want of memory.
  [[nodiscard]] std::uint64_t oom_kills() const {
    return media::oom_kills(oom_events_);
  }

  [[nodiscard]] birth_book& births() noexcept {
    return births_;
  }

  /// The program could not even be started: nobody need wait for it.
  [[nodiscard]] bool is_missing() const noexcept {
    return missing_;
  }
  /// Of the zygote that lives; 0: none. From any thread.
  [[nodiscard]] pid_t pid() const noexcept {
    return pid_;
  }

private:
  void await_end();
  void bury();
  void make_group();

  boost::asio::posix::stream_descriptor process_;
  boost::asio::steady_timer pause_;
  const std::filesystem::path program_;
  const child_views views_;
  birth_book births_;                ///< of all zygotes, one after the other
  std::optional<codec_group> group_; ///< of them and all children, if possible
  std::filesystem::path oom_events_; ///< of it, or of the one that we are in
  descriptor control_;
  std::atomic<pid_t> pid_{0};
  std::chrono::steady_clock::time_point born_;
  std::chrono::milliseconds wait_{0}; ///< before the next is started
  bool missing_ = false;              ///< at the last try
  bool stopped_ = false;
};

} // namespace troupe::media
