#pragma once

#include "config/result.hpp"
#include "media/child/children.hpp"
#include "media/job_cost.hpp"
#include "media/transcode/board.hpp"
#include "media/transcode/job.hpp"
#include "media/transcode/pack_file.hpp"
#include "media/transcode/plan.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::media {

/// Hears of what is made, on the io thread. Nothing after `on_end`.
struct maker_listener {
  /// A piece came into the pack. @param made by a child of ours, now
  /// @param partial of the whole's 1, done of what is not in the pack
  std::function<void(const transcode_piece&, bool made, double partial)>
    on_piece;
  std::function<void(double partial)> on_partial;
  std::function<void(result<void>)> on_end;
};

/// Makes all pieces of a plan that its pack has not, by a few lasting children:
/// what streams have made already is taken from their cache. On the io thread.
/// Invariant: the listener is set until `on_end`, or until `quit`.
class piece_maker : public std::enable_shared_from_this<piece_maker> {
public:
  piece_maker(const transcode_services& services,
              std::shared_ptr<const transcode_plan> plan,
              std::shared_ptr<pack_file> pack, maker_listener listener);

  void start();
  /// Ends its children; nothing is heard any more.
  void quit();

  [[nodiscard]] const attempt_usage& used() const noexcept {
    return used_;
  }

private:
  struct seat {
    std::unique_ptr<codec_child> child;
    std::optional<std::size_t> piece; ///< that it works on, or did last
    unsigned tries = 0;               ///< that its children died of
    double partial = 0;               ///< of the whole's 1, done of it
    bool idle = true;
  };

  template <class Call>
  void on_io(Call call);
  void advance(std::size_t at);
  void look(std::size_t at);
  void make(std::size_t at);
  [[nodiscard]] double partial() const;
  void hear_frames(std::size_t at, const child_progress& now);
  void ended(std::size_t at, child_end& end);
  [[nodiscard]] bool try_again(std::size_t at, errc code);
  void store(std::size_t at, std::string init, std::string media, bool made);
  void settle(std::size_t at, bool made);
  [[nodiscard]] bool fits(std::uint8_t track, const std::string& init);
  void conclude(result<void> how);

  const transcode_services& services_;
  const std::shared_ptr<const transcode_plan> plan_;
  const std::shared_ptr<pack_file> pack_;
  maker_listener listener_;
  work_board board_;
  std::vector<std::string> inits_; ///< of each track; empty: not known yet
  std::vector<seat> seats_;
  attempt_usage used_;
};

} // namespace troupe::media
