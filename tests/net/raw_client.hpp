#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace troupe::net {

/// What came back, taken apart.
struct raw_answer {
  int status = 0; ///< 0: the peer closed without a word
  std::map<std::string, std::string> fields; ///< names in lower case
  std::string body;
};

/// A client that sends exactly the bytes it is told to. Waits at most ten
/// seconds for anything.
class raw_client {
public:
  explicit raw_client(std::uint16_t port);
  ~raw_client();
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  void send(std::string_view bytes);
  void finish_sending();
  /// @param bare no body follows, whatever Content-Length says (HEAD)
  raw_answer read(bool bare = false);
  /// The next line without its end; empty at the connection's end as well.
  std::string line();
  /// True if the connection ended while something was waited for.
  [[nodiscard]] bool ended() const noexcept {
    return ended_;
  }
  /// True once the peer has closed; what still comes is thrown away.
  bool closed();

  /// A request with the fields that every one needs, and its answer.
  raw_answer ask(std::string_view method, std::string_view target,
                 std::string_view body = {}, std::string_view fields = {});
  [[nodiscard]] std::string host() const;

private:
  bool more();

  int fd_ = -1;
  std::uint16_t port_;
  std::string input_;
  bool ended_ = false;
};

} // namespace troupe::net
