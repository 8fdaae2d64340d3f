#pragma once

#include "net/cli/client.hpp"
#include "net/cli/commands.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

/// The server's API as the commands use it: what goes wrong is said here, on
/// stderr, and comes back as an exit code.
namespace troupe::cli {

/// Why a command cannot go on.
struct stop {
  int code = exit_usage;
};

template <class T>
using outcome = boost::system::result<T, stop>;

[[noreturn]] inline void
throw_exception_from_error(const stop&, const boost::source_location&) {
  throw std::logic_error("the command had already been stopped");
}

/// The server to speak to: as asked, else TROUPE_SERVER, else the one that
/// runs on the default data folder, else http://127.0.0.1:8080.
[[nodiscard]] outcome<server_address> find_server(const client_options& to);

/// Sends a request. Anything but 2xx is told and stops: 3 where there is no
/// server or it cannot answer now (5xx), 2 where it says no.
[[nodiscard]] outcome<boost::json::value> ask(const server_address& at,
                                              std::string_view method,
                                              const std::string& target,
                                              const std::string& body = {});

/// What stands in `member` of all pages of a list.
[[nodiscard]] outcome<boost::json::array> ask_pages(const server_address& at,
                                                    const std::string& target,
                                                    std::string_view member);

/// For one segment or value of a target (RFC 3986, 2.3).
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// `message` on stderr, after the program's name.
void complain(std::string_view message);

/// One line of JSON on stdout.
void print_json(const boost::json::value& value);

// -- reading what servers say: a missing or odd member reads as empty ---------

[[nodiscard]] std::string text_of(const boost::json::value& object,
                                  std::string_view member);
/// `otherwise` if it is no number.
[[nodiscard]] double number_of(const boost::json::value& object,
                               std::string_view member, double otherwise = 0);
/// Null value if it is missing.
[[nodiscard]] const boost::json::value&
member_of(const boost::json::value& object, std::string_view member);

} // namespace troupe::cli
