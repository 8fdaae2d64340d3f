#include "actors/gateway.hpp"

#include <string>

namespace troupe::actors {

namespace {

class category final : public std::error_category {
public:
  const char* name() const noexcept override {
    return "actors";
  }

  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
    case errc::none:
      return "no error";
    case errc::deadline:
      return "no answer in time";
    case errc::draining:
      return "the server stops and takes no new work";
    case errc::overloaded:
      return "too much is under way";
    case errc::unavailable:
      return "the part asked has failed and is being replaced";
    case errc::idempotency_in_progress:
      return "the first request with this key is under way";
    case errc::bad_topic:
      return "no such topic";
    case errc::too_many_asks:
      return "too many requests wait for the queue";
    case errc::durability_unavailable:
      return "the store does not reach that durability at present";
    }
    return "unknown error of the actors";
  }
};

class overload final : public std::error_category {
public:
  const char* name() const noexcept override {
    return "overload";
  }

  std::string message(int seconds) const override {
    return "the queue has enough; come back in " + std::to_string(seconds)
           + " s";
  }
};

} // namespace

const std::error_category& overload_category() noexcept {
  static const overload instance;
  return instance;
}

const std::error_category& actors_category() noexcept {
  static const category instance;
  return instance;
}

std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), actors_category()};
}

} // namespace troupe::actors
