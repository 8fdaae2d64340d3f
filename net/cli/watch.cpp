#include "net/cli/api.hpp"
#include "net/cli/board.hpp"
#include "net/cli/commands.hpp"
#include "net/cli/job_line.hpp"

#include <boost/json.hpp>

#include <csignal>
#include <map>
#include <thread>

namespace troupe::cli {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// A server, or its store, that is away longer is not waited for.
constexpr auto patience = 60s;

volatile std::sig_atomic_t interrupted = 0;

/// The first Ctrl-C is noted, a second one ends the process.
void note_interrupt() {
  struct sigaction action {};
  action.sa_handler = [](int) {
    interrupted = 1;
  };
  action.sa_flags = SA_RESETHAND;
  sigaction(SIGINT, &action, nullptr);
}

/// Follows jobs by their events, over as many connections as it takes.
/// Invariant: `jobs_` holds every job as of its newest event; `open_` counts
/// those that have not ended.
class follower {
public:
  follower(server_address at, board& out) : at_(std::move(at)), out_(out) {}

  /// The first look, which also says whether the job exists.
  outcome<void> add(const std::string& id);
  int run();

private:
  /// What was last seen of a job's topic.
  struct stand {
    std::string epoch;
    double offset = 0;
  };

  void wait_for_store(const std::string& target);
  bool connect();
  /// Reads events until the connection ends or nothing is left to wait for.
  void pump();
  bool waits() const {
    return open_ > 0 && !interrupted && code_ == exit_done;
  }
  void take(const std::string& text);
  void refuse(std::string_view code, std::string_view detail);
  void update(const std::string& id, const json::value& data, bool whole);
  int verdict() const;

  server_address at_;
  board& out_;
  std::unique_ptr<event_socket> socket_;
  std::map<std::string, json::value> jobs_; ///< by topic
  std::map<std::string, stand> stands_;     ///< by topic
  std::size_t open_ = 0;
  int code_ = exit_done;
  bool refused_ = false; ///< for now; the connection is of no more use
};

outcome<void> follower::add(const std::string& id) {
  if (jobs_.contains("job:" + id))
    return {};
  const auto target = "/v1/jobs/" + percent_encoded(id);
  wait_for_store(target);
  auto job = ask(at_, "GET", target);
  if (!job)
    return job.error();
  open_ += has_ended(*job) ? 0 : 1;
  out_.changed(*job);
  jobs_["job:" + id] = std::move(*job);
  return {};
}

/// The server is there, but cannot say yet what becomes of the job.
void follower::wait_for_store(const std::string& target) {
  const auto end = clock::now() + patience;
  bool told = false;
  while (!interrupted && clock::now() < end) {
    const auto got = call(at_, "GET", target, {});
    if (!got || got->status != 503)
      return;
    if (!std::exchange(told, true))
      out_.note(at_.authority() + " has no store at present, trying again");
    std::this_thread::sleep_for(250ms);
  }
}

bool follower::connect() {
  auto opened = event_socket::open(at_);
  if (!opened)
    return false;
  socket_ = std::move(*opened);
  json::array topics;
  for (const auto& [topic, job] : jobs_) {
    if (has_ended(job))
      continue;
    json::object one{{"topic", topic}};
    if (const auto& seen = stands_[topic]; !seen.epoch.empty()) {
      one["epoch"] = seen.epoch;
      one["offset"] = static_cast<std::uint64_t>(seen.offset);
    }
    topics.push_back(std::move(one));
  }
  const json::object request{
    {"op", "subscribe"}, {"id", 1}, {"topics", std::move(topics)}};
  return socket_->send(json::serialize(request)).has_value();
}

void follower::update(const std::string& topic, const json::value& data,
                      bool whole) {
  const auto found = jobs_.find(topic);
  if (found == jobs_.end() || !data.is_object() || has_ended(found->second))
    return;
  auto& job = found->second;
  if (number_of(data, "revision", 1e18) < number_of(job, "revision"))
    return; // told before the state that we have
  if (whole)
    job = data;
  else
    for (const auto& [name, value] : data.get_object())
      job.as_object()[name] = value;
  open_ -= has_ended(job) ? 1 : 0;
  out_.changed(job);
}

void follower::take(const std::string& text) {
  json::error_code wrong;
  const auto frame = json::parse(text, wrong);
  if (wrong)
    return;
  const auto op = text_of(frame, "op");
  const auto topic = text_of(frame, "topic");
  if (op == "error")
    return refuse(text_of(frame, "code"), text_of(frame, "detail"));
  if (op != "subscribed" && op != "event")
    return;
  stands_[topic] = {text_of(frame, "epoch"), number_of(frame, "offset")};
  if (op == "event")
    update(topic, member_of(frame, "data"), false);
  else
    update(topic, member_of(frame, "snapshot"), true);
}

/// What passes is asked for again.
void follower::refuse(std::string_view code, std::string_view detail) {
  refused_ = code == "store_unavailable" || code == "draining";
  if (refused_)
    return;
  complain(detail);
  code_ = exit_usage;
}

void follower::pump() {
  refused_ = false;
  while (waits() && !refused_) {
    auto text = socket_->next(100ms);
    if (!text)
      return;
    if (*text)
      take(**text);
    out_.tick();
  }
}

int follower::verdict() const {
  for (const auto& [topic, job] : jobs_)
    if (has_ended(job) && text_of(job, "state") != "succeeded")
      return exit_failed;
  return exit_done;
}

int follower::run() {
  auto seen = clock::now();
  std::string told;
  while (waits()) {
    const bool connected = connect();
    if (connected)
      pump();
    const bool refused = connected && refused_;
    if (connected && !refused) {
      told.clear();
      seen = clock::now();
    }
    socket_.reset();
    if (!waits())
      break;
    const auto why =
      refused ? at_.authority() + " has no store at present, trying again"
              : "no connection to " + at_.authority() + ", trying again";
    if (std::exchange(told, why) != why)
      out_.note(why);
    if (clock::now() > seen + patience)
      return exit_no_server;
    std::this_thread::sleep_for(250ms);
  }
  if (interrupted && open_ > 0)
    return exit_interrupted;
  return code_ == exit_done ? verdict() : code_;
}

} // namespace

int watch(const client_options& to, const std::vector<std::string>& ids) {
  auto at = find_server(to);
  if (!at)
    return at.error().code;
  note_interrupt();
  auto out = make_board(to.json);
  follower all{*at, *out};
  for (const auto& id : ids)
    if (auto added = all.add(id); !added)
      return added.error().code;
  const int code = all.run();
  out->close();
  if (code == exit_no_server)
    complain("no server at " + at->authority() + "; the job is stored there");
  if (code == exit_interrupted) {
    std::string again = "troupe watch";
    for (const auto& id : ids)
      again += " " + id;
    complain("not cancelled; see it again with: " + again);
  }
  return code;
}

} // namespace troupe::cli
