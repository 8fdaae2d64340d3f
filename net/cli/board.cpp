#include "net/cli/board.hpp"

#include "net/cli/api.hpp"
#include "net/cli/job_line.hpp"
#include "net/cli/text.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <vector>

namespace troupe::cli {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

std::string line_of_ended(const boost::json::value& job) {
  return text_of(job, "id") + "  " + printable(title_of(job)) + "  "
         + outcome_text(job);
}

/// Serial lines, and terminals that programs make, may not know theirs.
winsize size_of_terminal() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
    size = {};
  if (size.ws_row == 0)
    size.ws_row = 24;
  if (size.ws_col == 0)
    size.ws_col = 80;
  return size;
}

class json_board final : public board {
public:
  void changed(const boost::json::value& job) override {
    print_json(job);
  }
  void note(const std::string& text) override {
    complain(text);
  }
};

/// A line where something new can be said: another state or stage, a tenth
/// more, or after a while.
class line_board final : public board {
public:
  void changed(const boost::json::value& job) override {
    if (has_ended(job)) {
      std::cout << line_of_ended(job) << std::endl;
      return;
    }
    const auto& progress = member_of(job, "progress");
    const auto fraction = number_of(progress, "fraction", 0);
    const auto stage = text_of(job, "state") + text_of(progress, "stage");
    auto& last = said_[text_of(job, "id")];
    const auto now = clock::now();
    if (stage == last.stage && fraction < last.fraction + 0.1
        && now < last.when + 10s)
      return;
    last = {stage, fraction, now};
    std::cout << text_of(job, "id") << "  " << printable(progress_text(job))
              << std::endl;
  }
  void note(const std::string& text) override {
    complain(text);
  }

private:
  struct said {
    std::string stage;
    double fraction = 0;
    clock::time_point when;
  };
  std::map<std::string, said> said_;
};

/// Bars at the end of the terminal; ended jobs scroll away above them.
/// Invariant: the cursor stands behind the last of `drawn_` lines of ours.
class bar_board final : public board {
public:
  ~bar_board() override {
    close();
  }

  void changed(const boost::json::value& job) override {
    const auto id = text_of(job, "id");
    auto at =
      std::find_if(running_.begin(), running_.end(),
                   [&id](const auto& one) { return text_of(one, "id") == id; });
    if (has_ended(job)) {
      if (at != running_.end())
        running_.erase(at);
      above_ += line_of_ended(job) + "\n";
      draw();
    } else if (at == running_.end()) {
      running_.push_back(job);
    } else {
      *at = job;
    }
  }

  void tick() override {
    if (clock::now() >= drawn_at_ + 100ms)
      draw();
  }

  void note(const std::string& text) override {
    above_ += "troupe: " + printable(text) + "\n";
    draw();
  }

  void close() override {
    if (!running_.empty())
      draw();
    if (drawn_ > 0)
      std::cout << std::endl;
    drawn_ = 0;
    running_.clear();
  }

private:
  void draw() {
    const auto size = size_of_terminal();
    std::string out;
    if (drawn_ > 1)
      out = "\x1b[" + std::to_string(drawn_ - 1) + "A";
    out += drawn_ > 0 ? "\r\x1b[J" : "";
    out += std::exchange(above_, {});
    const std::size_t room = std::max<std::size_t>(size.ws_row, 3) - 2;
    drawn_ = std::min(running_.size(), room);
    for (std::size_t i = 0; i < drawn_; ++i)
      out += (i > 0 ? "\n" : "") + bar_line(running_[i], size.ws_col - 1u);
    if (running_.size() > room) {
      out += "\n… and " + std::to_string(running_.size() - room) + " more";
      ++drawn_;
    }
    std::cout << out << std::flush;
    drawn_at_ = clock::now();
  }

  std::vector<boost::json::value> running_;
  std::string above_;
  std::size_t drawn_ = 0;
  clock::time_point drawn_at_;
};

} // namespace

std::unique_ptr<board> make_board(bool json) {
  if (json)
    return std::make_unique<json_board>();
  if (isatty(STDOUT_FILENO))
    return std::make_unique<bar_board>();
  return std::make_unique<line_board>();
}

} // namespace troupe::cli
