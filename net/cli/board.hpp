#pragma once

#include <boost/json/value.hpp>

#include <memory>
#include <string>

namespace troupe::cli {

/// Shows jobs while they change.
class board {
public:
  virtual ~board() = default;
  /// A job as it is now; ended jobs are shown once.
  virtual void changed(const boost::json::value& job) = 0;
  /// Called often; draws what is due.
  virtual void tick() {}
  /// Something that the user should know meanwhile.
  virtual void note(const std::string& text) = 0;
  /// Leaves the terminal as it is to be found.
  virtual void close() {}
};

/// Bars where stdout is a terminal, else a line for each step; with `json` the
/// job as one line of JSON for each change.
[[nodiscard]] std::unique_ptr<board> make_board(bool json);

} // namespace troupe::cli
