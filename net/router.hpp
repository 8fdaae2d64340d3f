#pragma once

#include "net/http.hpp"
#include "net/takeover.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::net {

struct edge;

/// What a pattern's `{name}` parts stand for in one request.
class path_params {
public:
  /// @pre the matched pattern has at most four of them
  void add(std::string_view name, std::string_view value) noexcept;
  [[nodiscard]] std::size_t size() const noexcept {
    return count_;
  }
  /// @pre the pattern has a part of that name
  [[nodiscard]] std::string_view
  operator[](std::string_view name) const noexcept;

private:
  struct entry {
    std::string_view name, value;
  };
  entry entries_[4];
  std::size_t count_ = 0;
};

/// Takes the connection over; see `takeover`.
struct taker {
  std::function<boost::asio::awaitable<void>(takeover, edge&)> run;
  unsigned status = 200; ///< as metrics and the log of requests tell it
};

/// What a handler leaves: an answer, or who takes the connection over instead.
struct outcome {
  outcome(response answer) : reply{std::move(answer)} {}
  outcome(taker who) : take{std::move(who)} {}

  response reply;
  std::optional<taker> take;
};

/// Serves one request. The references live until its coroutine returns.
using handler = boost::asio::awaitable<outcome> (*)(edge&, const request&,
                                                    const path_params&);

/// Largest body of a JSON request.
inline constexpr std::uint64_t max_body_bytes = 1u << 20;
/// Largest body of `POST /v1/jobs/batch`.
inline constexpr std::uint64_t max_batch_bytes = 16u << 20;
/// Where others than the route know how much is too much.
inline constexpr std::uint64_t any_bytes = 1ull << 40;

/// Who judges a query: nobody asks for any parameter, or the handler does.
enum class query_use : std::uint8_t { none, read };

/// What a body is: JSON, in memory; or of any type, an `upload`.
enum class body_form : std::uint8_t { json, upload };

/// A method on a pattern such as `/v1/jobs/{id}`. GET serves HEAD as well.
struct route {
  verb method = verb::get;
  std::string_view pattern;
  handler handle = nullptr;
  query_use query = query_use::none;
  std::uint64_t max_body = max_body_bytes;
  body_form form = body_form::json;
};

/// What a request's target leads to.
struct match {
  /// Null: no such path (`allow` is empty) or not with this method.
  const struct route* route = nullptr;
  path_params params;
  /// The pattern, for metrics; empty if the path is unknown.
  std::string_view pattern;
  std::string allow; ///< for the `Allow` field, where `route` is null
};

/// Finds routes by path and method. Patterns are compared part by part in
/// their order, so a fixed part wins over `{…}` if it stands before.
class router {
public:
  /// @param subtree what serves all paths beneath `prefix`, before any other;
  /// null: nothing does
  explicit router(std::span<const route> routes, std::string prefix = {},
                  const route* subtree = nullptr);

  /// Views in the answer live as long as `where` and the routes.
  [[nodiscard]] match find(verb method, const target& where) const;

  [[nodiscard]] std::span<const route> routes() const noexcept {
    return routes_;
  }

private:
  struct compiled {
    std::vector<std::string_view> parts;
    const struct route* route;
  };
  [[nodiscard]] bool is_beneath(const target& where) const;

  std::span<const route> routes_;
  std::vector<compiled> compiled_;
  std::string prefix_;
  const route* subtree_;
};

/// Every route of the server.
[[nodiscard]] std::span<const route> all_routes() noexcept;

/// The one of image URLs, which serves all that lies beneath their prefix.
[[nodiscard]] const route& image_route() noexcept;

} // namespace troupe::net
