#include "net/job_submit.hpp"

#include "media/files/digest.hpp"
#include "net/job_reader.hpp"

#include <algorithm>
#include <array>

namespace troupe::net {

struct submit_reader::impl {
  job_reader jobs;
  json_parser parser = {};
};

submit_reader::submit_reader(const media::address_guard& guard,
                             media::option_rules images)
  : impl_{new impl{job_reader{guard, std::move(images)}}} {}

submit_reader::~submit_reader() = default;

std::variant<submit_request, problem> submit_reader::read(std::string_view body,
                                                          bool takes_key) {
  simdjson::dom::element document;
  if (auto fault = impl_->parser.parse(body, document))
    return std::move(*fault);
  simdjson::dom::object object;
  if (document.get(object))
    return problem{problem_code::invalid_params,
                   "the body must be an object",
                   {{"", "must be an object", {}}}};
  field_errors errors;
  object_reader in{object, "", errors};
  submit_request out;
  impl_->jobs.read(in, job_place::alone, errors, out);
  if (takes_key)
    in.text("idempotency_key", out.idempotency_key, max_idempotency_key);
  in.finish();
  if (!errors.empty())
    return problem_from(errors);
  return out;
}

bool suffices(store::durability level, store::durability asked) {
  using enum store::durability;
  static constexpr std::array weakest_first{memory, interval, local, disk,
                                            replica};
  const auto rank = [](store::durability of) {
    return std::ranges::find(weakest_first, of) - weakest_first.begin();
  };
  return rank(level) >= rank(asked);
}

std::optional<problem>
durability_fault(const submit_request& asked,
                 const std::function<store::durability()>& level) {
  if (!asked.durability || !asked.durability_strict || !level)
    return std::nullopt;
  const auto reached = level();
  if (suffices(reached, *asked.durability))
    return std::nullopt;
  problem out{problem_code::durability_unavailable,
              "the store reaches " + std::string{store::to_string(reached)}
                + " at present"};
  out.retry_after_s = 1;
  return out;
}

bool is_idempotency_key(std::string_view key) noexcept {
  return !key.empty() && key.size() <= max_idempotency_key
         && std::ranges::all_of(key,
                                [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_traceparent(std::string_view text) noexcept {
  static constexpr std::string_view form =
    "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
  return text.size() == form.size() && !text.starts_with("ff")
         && std::ranges::equal(text, form, [](char c, char is) {
              return is == '-'
                       ? c == '-'
                       : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            });
}

store::idempotency idempotency_of(std::string_view principal,
                                  std::string_view path, std::string_view key,
                                  std::string_view body) {
  // None of the parts can hold a line feed.
  std::string scope{principal};
  scope.append("\nPOST\n").append(path).append("\n").append(key);
  return {std::move(scope), media::sha256_hex(body)};
}

} // namespace troupe::net
