#include "media/callback/sender.hpp"

#include "media/curl_loop.hpp"

#include <boost/asio/ip/address.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::media {

namespace {

constexpr std::size_t most_answer = 64u << 10;
constexpr long max_connections = 64;

/// A post under way. Its address is known to its easy handle.
struct delivery {
  callback_post what;
  callback_heard heard;
  const address_guard* guard = nullptr;
  bool refused = false; ///< an address was not connected to
  bool tried = false;   ///< another was
  std::size_t answered = 0;
  list_ptr headers = {};
  easy_ptr easy = {};
};

std::optional<boost::asio::ip::address> address_of(const curl_sockaddr& to) {
  namespace ip = boost::asio::ip;
  if (to.family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &to.addr, sizeof v4);
    return ip::address_v4{ntohl(v4.sin_addr.s_addr)};
  }
  if (to.family != AF_INET6)
    return std::nullopt;
  sockaddr_in6 v6{};
  // libcurl leaves room for every form of address behind `addr`.
  std::memcpy(&v6, &to.addr, sizeof v6);
  ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return ip::address_v6{bytes};
}

/// libcurl asks here just before it connects to an address.
curl_socket_t open_socket(void* of, curlsocktype, curl_sockaddr* to) {
  auto& now = *static_cast<delivery*>(of);
  const auto address = address_of(*to);
  if (!address || !now.guard->allows(*address)) {
    now.refused = true;
    return CURL_SOCKET_BAD;
  }
  now.tried = true;
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/// Taking less than was given ends the transfer.
std::size_t skip_body(char*, std::size_t size, std::size_t count, void* of) {
  auto& now = *static_cast<delivery*>(of);
  now.answered += size * count;
  return now.answered <= most_answer ? size * count : 0;
}

list_ptr header_list(const callback_post& what, const std::string& secret) {
  const auto now = std::to_string(std::time(nullptr));
  std::vector<std::string> lines{"Content-Type: application/json",
                                 "Expect:", "Troupe-Event-Id: " + what.event_id,
                                 "Troupe-Event: " + what.event,
                                 "Troupe-Timestamp: " + now};
  if (!secret.empty())
    lines.push_back("Troupe-Signature: "
                    + callback_signature(secret, now, what.body));
  list_ptr list;
  for (const auto& line : lines) {
    auto* grown = curl_slist_append(list.get(), line.c_str());
    if (!grown)
      break;
    static_cast<void>(list.release());
    list.reset(grown);
  }
  return list;
}

callback_answer answer_of(delivery& now, CURLcode outcome) {
  callback_answer said;
  auto* easy = now.easy.get();
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &said.status);
  said.retry_after_s = retry_after(easy);
  // What was cut off is answered nevertheless.
  if (said.status == 0) {
    said.error = curl_easy_strerror(outcome);
    said.forbidden = now.refused && !now.tried;
    if (said.forbidden)
      said.error = "names an address that may not be connected to";
  }
  return said;
}

} // namespace

class callback_sender::impl {
public:
  impl(const config::callback_settings& settings, address_guard guard)
    : secret_{settings.secret}, timeout_ms_{static_cast<long>(settings.timeout_s
                                                              * 1000)},
      guard_{std::move(guard)} {}

  void post(callback_post what, callback_heard heard) {
    loop_.add({std::move(what), std::move(heard), &guard_});
  }

private:
  void prepare(delivery& it) const {
    it.headers = header_list(it.what, secret_);
    auto* easy = it.easy.get();
    set_up(easy, it.what.url.c_str(), "", timeout_ms_, it.headers.get());
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    // A name that is being looked up holds up nobody at the end.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(it.what.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, it.what.body.data());
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &it);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, skip_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &it);
  }

  static void settle(delivery& it, CURLcode outcome) {
    it.heard(answer_of(it, outcome));
  }

  const std::string secret_;
  const long timeout_ms_;
  const address_guard guard_;
  curl_loop<delivery> loop_{[this](delivery& it) { prepare(it); }, settle,
                            max_connections};
};

callback_sender::callback_sender(const config::callback_settings& settings,
                                 address_guard guard)
  : impl_{std::make_unique<impl>(settings, std::move(guard))} {}

callback_sender::~callback_sender() = default;

void callback_sender::post(callback_post what, callback_heard heard) {
  impl_->post(std::move(what), std::move(heard));
}

} // namespace troupe::media
