#include "media/egress/session.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <ctime>
#include <optional>

namespace troupe::media {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using namespace std::chrono_literals;
using request_parser = http::request_parser<http::buffer_body>;
using serializer = http::request_serializer<http::buffer_body>;
using response_parser = http::response_parser<http::buffer_body>;

constexpr std::uint32_t header_limit = 64u << 10;
constexpr std::size_t up_block = 16u << 10;
constexpr std::size_t down_block = 64u << 10;
/// An origin that ignores `Expect` gets the body after so long.
constexpr auto continue_patience = 1s;

/// Removes what is meant for one hop only (RFC 9110, 7.6.1). Transfer-Encoding
/// stays: the message is framed anew the way it came.
template <class Fields>
void drop_hop_fields(Fields& fields) {
  std::vector<std::string> named;
  const auto [from, to] = fields.equal_range(http::field::connection);
  for (auto at = from; at != to; ++at)
    for (const auto& token : http::token_list{at->value()})
      named.emplace_back(token);
  for (const auto& name : named)
    if (!beast::iequals(name, "transfer-encoding")
        && !beast::iequals(name, "content-length")
        && !beast::iequals(name, "host"))
      fields.erase(name);
  for (const auto field :
       {http::field::connection, http::field::keep_alive,
        http::field::proxy_connection, http::field::proxy_authorization,
        http::field::proxy_authenticate, http::field::te, http::field::upgrade})
    fields.erase(field);
}

double seconds_to_wait(const http::response_header<>& header) {
  const auto text = header[http::field::retry_after];
  return parse_retry_after({text.data(), text.size()}, std::time(nullptr));
}

/// The error of a message that is no HTTP, in contrast to one cut short.
bool is_malformed(error_code wrong) {
  static const auto& category =
    http::make_error_code(http::error::bad_field).category();
  return wrong.category() == category && wrong != http::error::end_of_stream
         && wrong != http::error::partial_message;
}

/// Makes what a parser got the next piece for a serializer.
template <class Parser>
void offer_piece(Parser& from, std::vector<char>& block, std::size_t room) {
  auto& body = from.get().body();
  body.size = room - body.size;
  body.data = body.size == 0 ? nullptr : block.data();
  body.more = !from.is_done();
}

/// One client connection. Invariant: between two requests `client_buffer_`
/// holds nothing but what the client sent ahead; `origin_is_` names whom
/// `link_->origin` is connected to, and is empty if it cannot be used again.
class session {
public:
  session(std::shared_ptr<link> between, find_account accounts)
    : link_(std::move(between)), accounts_(std::move(accounts)) {
    // Beast reads as much at once as fits without growing.
    client_buffer_.reserve(up_block);
    origin_buffer_.reserve(down_block);
  }

  asio::awaitable<void> run();

private:
  /// These return false if the client's connection must end.
  asio::awaitable<bool> serve(request_parser& request);
  asio::awaitable<bool> refuse(http::status status, std::string why);
  asio::awaitable<bool> open_tunnel(const request_parser& request);
  asio::awaitable<bool> forward(request_parser& request);
  asio::awaitable<bool> reach(const proxy_target& target);
  asio::awaitable<bool> pass_response(response_parser& response, bool keep);

  /// True once the header of a final response is in `response_`.
  asio::awaitable<bool> exchange(request_parser& request);
  asio::awaitable<bool> send_body(request_parser& request, serializer& out);
  asio::awaitable<bool> await_continue();
  asio::awaitable<bool> read_header();

  bool authenticate(const request_parser& request);
  [[nodiscard]] bool is_interim() const {
    return response_->get().result_int() / 100 == 1;
  }
  [[nodiscard]] bool is_connected_to(const proxy_target& target) const {
    return origin_is_ == target.authority() && link_->origin.is_open();
  }

  std::shared_ptr<link> link_;
  find_account accounts_;
  beast::flat_buffer client_buffer_;
  beast::flat_buffer origin_buffer_;
  std::string origin_is_;
  bool is_head_ = false;
  std::optional<response_parser> response_;
};

asio::awaitable<void> session::run() {
  for (bool more = true; more;) {
    request_parser request;
    request.header_limit(header_limit);
    request.body_limit(boost::none);
    const auto [wrong, size] = co_await http::async_read_header(
      link_->client, client_buffer_, request, as_result);
    if (is_malformed(wrong))
      more = co_await refuse(http::status::bad_request, wrong.message());
    else if (wrong)
      co_return;
    else
      more = co_await serve(request);
    link_->expect_within(link_->idle_timeout());
  }
}

bool session::authenticate(const request_parser& request) {
  const auto header = request.get()[http::field::proxy_authorization];
  const auto token = basic_user({header.data(), header.size()});
  auto account = token.empty() ? nullptr : accounts_(token);
  if (!account)
    return false;
  link_->belong_to(std::move(account));
  return true;
}

asio::awaitable<bool> session::serve(request_parser& request) {
  if (!authenticate(request))
    co_return co_await refuse(http::status::proxy_authentication_required,
                              "this proxy serves its own tools only");
  if (!link_->account->is_open())
    co_return co_await refuse(http::status::forbidden,
                              "this account fetches nothing more");
  if (request.get().method() == http::verb::connect)
    co_return co_await open_tunnel(request);
  co_return co_await forward(request);
}

asio::awaitable<bool> session::refuse(http::status status, std::string why) {
  http::response<http::string_body> answer{status, 11};
  answer.set(http::field::content_type, "text/plain");
  if (status == http::status::proxy_authentication_required)
    answer.set(http::field::proxy_authenticate, "Basic realm=\"troupe\"");
  answer.keep_alive(false);
  answer.body() = std::move(why) + "\n";
  answer.prepare_payload();
  co_await http::async_write(link_->client, answer, as_result);
  co_await link_->close_gently();
  co_return false;
}

asio::awaitable<bool> session::reach(const proxy_target& target) {
  origin_is_.clear();
  origin_buffer_.clear();
  const auto reached = co_await link_->connect(target);
  if (reached) {
    origin_is_ = target.authority();
    co_return true;
  }
  const bool forbidden = reached.error().code == errc::source_forbidden;
  co_return co_await refuse(forbidden ? http::status::forbidden
                                      : http::status::bad_gateway,
                            reached.error().message());
}

asio::awaitable<bool> session::open_tunnel(const request_parser& request) {
  const auto text = request.get().target();
  const auto target = parse_connect_target({text.data(), text.size()});
  if (!target)
    co_return co_await refuse(http::status::bad_request,
                              "CONNECT takes host:port");
  const bool reached = co_await reach(*target);
  if (!reached)
    co_return false;
  static constexpr std::string_view established =
    "HTTP/1.1 200 Connection established\r\n\r\n";
  const auto answer = asio::buffer(established);
  co_await asio::async_write(link_->client, answer, as_result);
  auto early = beast::buffers_to_string(client_buffer_.data());
  co_await link_->tunnel(std::move(early));
  co_return false;
}

asio::awaitable<bool> session::forward(request_parser& request) {
  const auto text = request.get().target();
  const auto target = parse_absolute_target({text.data(), text.size()});
  if (!target)
    co_return co_await refuse(http::status::bad_request,
                              "a proxy takes http://host/path");
  const bool keep = request.get().keep_alive();
  const bool repeatable = request.is_done();
  is_head_ = request.get().method() == http::verb::head;
  drop_hop_fields(request.get());
  request.get().target(target->path);
  request.get().set(http::field::host, target->authority());
  for (bool reuse = repeatable;; reuse = false) {
    const bool reused = reuse && is_connected_to(*target);
    if (!reused) {
      const bool reached = co_await reach(*target);
      if (!reached)
        co_return false;
    }
    const bool answered = co_await exchange(request);
    if (answered)
      break;
    if (!link_->client.is_open())
      co_return false;
    // An origin may close an idle connection just when it is used again.
    if (!reused)
      co_return co_await refuse(http::status::bad_gateway,
                                "no answer from " + target->authority());
  }
  // A body that was not taken must not be read as a request.
  co_return co_await pass_response(*response_, keep && request.is_done());
}

asio::awaitable<bool> session::exchange(request_parser& request) {
  response_.reset();
  serializer out{request.get()};
  link_->expect_within(link_->idle_timeout());
  const auto [unsent, count] =
    co_await http::async_write_header(link_->origin, out, as_result);
  if (unsent)
    co_return false;
  if (!request.is_done()) {
    const bool sent = co_await send_body(request, out);
    if (!sent)
      co_return false;
  }
  // 101 cannot come, since Upgrade was not passed on.
  while (!response_ || is_interim()) {
    const bool read = co_await read_header();
    if (!read)
      co_return false;
  }
  co_return true;
}

/// False if the client did not send it all. An origin that takes no more has
/// answered, or else reading the answer will fail.
asio::awaitable<bool> session::send_body(request_parser& request,
                                         serializer& out) {
  if (beast::iequals(request.get()[http::field::expect], "100-continue")) {
    const bool wanted = co_await await_continue();
    if (!wanted)
      co_return true;
  }
  while (!out.is_done()) {
    request.get().body().data = link_->block.data();
    request.get().body().size = link_->block.size();
    if (!request.is_done()) {
      link_->expect_within(link_->idle_timeout());
      const auto [wrong, size] = co_await http::async_read_some(
        link_->client, client_buffer_, request, as_result);
      if (wrong && wrong != http::error::need_buffer) {
        link_->cut();
        co_return false;
      }
    }
    offer_piece(request, link_->block, link_->block.size());
    if (request.get().body().size == 0 && !request.is_done())
      continue;
    const auto [wrong, size] =
      co_await http::async_write(link_->origin, out, as_result);
    if (wrong && wrong != http::error::need_buffer)
      break;
  }
  co_return true;
}

/// After `Expect: 100-continue`: true if the body is to be sent, since the
/// origin asked for it or says nothing.
asio::awaitable<bool> session::await_continue() {
  asio::steady_timer patience{link_->shared->io, continue_patience};
  patience.async_wait([between = link_](error_code stopped) {
    if (!stopped)
      between->origin.cancel(stopped);
  });
  const auto [silent] = co_await link_->origin.async_wait(
    asio::ip::tcp::socket::wait_read, as_result);
  patience.cancel();
  while (!silent) {
    const bool read = co_await read_header();
    if (!read || !is_interim())
      co_return false;
    if (response_->get().result() == http::status::continue_)
      break;
  }
  static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  const auto answer = asio::buffer(go_on);
  co_await asio::async_write(link_->client, answer, as_result);
  co_return true;
}

asio::awaitable<bool> session::read_header() {
  response_.emplace();
  response_->header_limit(header_limit);
  response_->body_limit(boost::none);
  response_->skip(is_head_);
  const auto [wrong, size] = co_await http::async_read_header(
    link_->origin, origin_buffer_, *response_, as_result);
  if (wrong)
    co_return false;
  co_return co_await link_->receive(size);
}

asio::awaitable<bool> session::pass_response(response_parser& response,
                                             bool keep) {
  auto& message = response.get();
  if (message.result_int() >= 400)
    link_->account->saw_status(static_cast<int>(message.result_int()),
                               seconds_to_wait(message));
  const bool origin_keeps = message.keep_alive();
  keep = keep && !message.need_eof();
  drop_hop_fields(message);
  message.version(11);
  message.keep_alive(keep);
  http::response_serializer<http::buffer_body> out{message};
  auto [wrong, count] =
    co_await http::async_write_header(link_->client, out, as_result);
  while (!wrong && !response.is_done()) {
    const auto room = link_->account->block_size();
    message.body().data = link_->block.data();
    message.body().size = room;
    link_->expect_within(link_->idle_timeout());
    const auto [unread, size] = co_await http::async_read_some(
      link_->origin, origin_buffer_, response, as_result);
    if (unread && unread != http::error::need_buffer)
      wrong = unread;
    const bool fits = co_await link_->receive(size);
    if (wrong || !fits)
      break;
    offer_piece(response, link_->block, room);
    if (message.body().size == 0 && !response.is_done())
      continue;
    const auto [unsent, sent] =
      co_await http::async_write(link_->client, out, as_result);
    if (unsent && unsent != http::error::need_buffer)
      wrong = unsent;
  }
  if (wrong || !link_->client.is_open()) {
    link_->cut();
    co_return false;
  }
  if (!origin_keeps) {
    link_->origin.close(wrong);
    origin_is_.clear();
  }
  if (!keep)
    co_await link_->close_gently();
  co_return keep;
}

} // namespace

asio::awaitable<void> serve_client(std::shared_ptr<link> between,
                                   find_account accounts) {
  session serving{std::move(between), std::move(accounts)};
  co_await serving.run();
}

} // namespace troupe::media
