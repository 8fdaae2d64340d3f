#pragma once

#include "net/admission.hpp"
#include "net/edge.hpp"
#include "net/pacer.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <vector>

namespace troupe::net {

class session;

/// What the connections of one server share; used on the io thread alone.
struct session_host {
  edge& at;
  const router& routes;
  const origin_guard& guard;
  std::list<session*> sessions = {};
  bool stopping = false;    ///< finish what is under way, begin nothing
  std::uint64_t opened = 0; ///< connections so far
  /// Called when the last session has ended.
  std::function<void()> emptied = {};
};

/// One connection, from accept to close: reads requests one after the other,
/// has each admitted and handled, writes its answer.
///
/// Invariants: `deadline_` is the end of the present wait for the peer, or
/// far away while none is under way; the session is in `host.sessions` from
/// its construction to its end.
class session : public std::enable_shared_from_this<session> {
public:
  using clock = std::chrono::steady_clock;

  session(session_host& host, boost::asio::ip::tcp::socket socket);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  /// Serves the connection until it ends.
  boost::asio::awaitable<void> run();

  /// Cuts the connection if its peer kept us waiting too long; one that sends
  /// a request too slowly is told so first.
  void check_time(clock::time_point now);

  /// Ends after the request under way; at once if none is. Tells who has
  /// taken the connection over.
  void stop();

  /// Ends the connection now. One that was taken over is its taker's.
  void cut();

private:
  struct exchange;
  using seconds = std::chrono::seconds;

  void forget_input();
  void skip_empty_lines();
  boost::asio::awaitable<bool> await_request();
  boost::asio::awaitable<bool> read_head(exchange& now);
  boost::asio::awaitable<bool> open_upload(exchange& now);
  boost::asio::awaitable<bool> read_body(exchange& now);
  boost::asio::awaitable<bool> pass_on(exchange& now);
  boost::asio::awaitable<bool> receive(std::size_t at_most);
  boost::asio::awaitable<bool> give_up(exchange& now);
  boost::asio::awaitable<bool> greet_body(exchange& now);
  boost::asio::awaitable<bool> serve(exchange& now);
  boost::asio::awaitable<void> hand_over(exchange& now, const taker& take);
  boost::asio::awaitable<bool> refuse(exchange& now, const response& what);
  boost::asio::awaitable<bool> respond(exchange& now, const response& what);
  boost::asio::awaitable<bool> pace(const exchange& now, std::string_view head,
                                    const response& what);
  boost::asio::awaitable<std::size_t> allowed(std::uint64_t bytes);
  boost::asio::awaitable<bool> send(std::string_view head,
                                    std::string_view body);
  boost::asio::awaitable<bool> send_pieces(std::string_view head,
                                           std::string_view body);
  boost::asio::awaitable<bool> send_file(const response& what);
  boost::asio::awaitable<bool> send_slice(file_slice file);
  [[nodiscard]] sender sender_of(const exchange& now,
                                 const response& what) const;
  boost::asio::awaitable<void> linger();
  void wait_at_most(seconds limit);
  void note(const exchange& now, unsigned status) const;

  session_host& host_;
  std::list<session*>::iterator place_;
  boost::asio::ip::tcp::socket socket_;
  clock::time_point deadline_ = clock::time_point::max();
  bool idle_ = true;        ///< between requests
  bool receiving_ = false;  ///< waits for more of a request
  bool late_ = false;       ///< more of it did not come in time
  std::vector<char> input_; ///< received, not consumed before `begin_`
  std::size_t begin_ = 0;
  std::vector<std::function<void()>> on_stop_;
  const std::uint64_t number_;
  traffic kind_ = traffic::other; ///< of the body that is being sent
  pacer::lane* lane_ = nullptr;   ///< that it waits in, if it is limited
};

} // namespace troupe::net
