#include "net/job_submit.hpp"

#include "media/files/digest.hpp"
#include "media/job_types.hpp"
#include "net/json_reader.hpp"
#include "net/params_schema.hpp"
#include "net/rfc3339.hpp"
#include "net/source_url.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace troupe::net {

namespace {

namespace dom = simdjson::dom;

constexpr double day_s = 24 * 3600;
constexpr double year_s = 366 * day_s;

/// What belongs to a later stage of the API: named, so that nobody waits for
/// what will not happen.
constexpr std::string_view not_yet = "is not supported by this server yet";

void read_schedule(object_reader& in, store::job_draft& out) {
  std::string run_at;
  double delay_s = 0;
  const bool has_time = in.text("run_at", run_at, 64);
  const bool has_delay = in.number("delay_s", delay_s, 0, year_s);
  out.delay_ms = std::llround(delay_s * 1000);
  if (!has_time)
    return;
  const auto at = parse_rfc3339(run_at);
  if (!at)
    in.wrong("run_at", "must be an RFC 3339 time");
  else
    out.run_at = *at;
  if (has_delay)
    in.wrong("delay_s", "cannot stand beside run_at");
}

void read_backoff(object_reader& in, field_errors& errors,
                  store::backoff& out) {
  const auto object = in.object("backoff");
  if (!object)
    return;
  object_reader fields{*object, in.pointer("backoff"), errors};
  fields.number("initial_s", out.initial_s, 0, day_s);
  fields.number("factor", out.factor, 1, 100);
  fields.number("max_s", out.max_s, 0, 7 * day_s);
  fields.number("jitter", out.jitter, 0, 1);
  fields.finish();
}

void read_effort(object_reader& in, field_errors& errors,
                 store::job_draft& out) {
  std::int64_t priority = out.priority;
  std::int64_t attempts = out.max_attempts;
  in.integer("priority", priority, 0, 9);
  in.integer("max_attempts", attempts, 1, 100);
  in.number("timeout_s", out.timeout_s, 0.001, 30 * day_s);
  out.priority = static_cast<std::int32_t>(priority);
  out.max_attempts = static_cast<std::uint32_t>(attempts);
  read_backoff(in, errors, out.backoff);
}

void read_labels(object_reader& in, store::job_draft& out) {
  in.text("unique_key", out.unique_key, 512);
  in.text("concurrency_key", out.concurrency_key, 256);
  in.texts("tags", out.tags, 64, 128);
}

void read_durability(object_reader& in, submit_request& out) {
  std::string name;
  if (in.text("durability", name, 64)) {
    store::durability level{};
    if (store::from_string(name, level))
      out.durability = level;
    else
      in.wrong("durability",
               "must be memory, interval, local, disk or replica");
  }
  in.boolean("durability_strict", out.durability_strict);
}

void refuse_later_stages(object_reader& in) {
  const auto parents = in.value("depends_on");
  dom::array array;
  if (parents && parents->get(array))
    in.wrong("depends_on", "must be an array of job ids");
  else if (parents && array.size() > 0)
    in.wrong("depends_on", std::string{not_yet});
  std::string text;
  if (in.text("on_parent_failure", text, 64) && text != "fail")
    in.wrong("on_parent_failure", "must be \"fail\"");
  if (in.text("callback_url", text, 8192))
    in.wrong("callback_url", std::string{not_yet});
}

/// What the errors as a whole are called.
problem_code code_of(const std::vector<field_error>& errors) {
  const auto all = [&](problem_code code) {
    return std::ranges::all_of(errors, [&](const field_error& each) {
      return each.code == kind_of(code).word;
    });
  };
  const auto unknown = kind_of(problem_code::unknown_job_type).word;
  if (std::ranges::find(errors, unknown, &field_error::code) != errors.end())
    return problem_code::unknown_job_type;
  return all(problem_code::source_forbidden) ? problem_code::source_forbidden
                                             : problem_code::invalid_params;
}

problem problem_from(field_errors& errors) {
  auto list = errors.take();
  const auto code = code_of(list);
  std::string detail = list.front().pointer + " " + list.front().detail;
  if (list.size() > 1)
    detail += ", and more";
  return {code, std::move(detail), std::move(list)};
}

} // namespace

struct submit_reader::impl {
  const media::address_guard& guard;
  json_parser parser = {};
  std::vector<params_schema> schemas = {};

  [[nodiscard]] const params_schema* find(std::string_view type) const {
    const auto at =
      std::ranges::find(schemas, type, [](const params_schema& each) {
        return each.type().name;
      });
    return at == schemas.end() ? nullptr : &*at;
  }

  const params_schema* read_type(object_reader& in, field_errors& errors) {
    std::string name;
    if (!in.value("type"))
      in.wrong("type", "is required");
    if (!in.text("type", name, 256))
      return nullptr;
    const auto* schema = find(name);
    if (!schema)
      in.wrong("type", "is no job type of this server",
               std::string{kind_of(problem_code::unknown_job_type).word});
    return schema;
  }

  void read_params(object_reader& in, const params_schema* schema,
                   field_errors& errors, store::job_draft& out) {
    const auto given = in.require("params");
    const auto params = in.object("params");
    if (!params)
      return;
    const auto pointer = in.pointer("params");
    note_duplicates(*given, pointer, errors);
    if (!schema)
      return;
    schema->check(*params, pointer, errors);
    if (schema->takes_url())
      check_url(*params, pointer, errors);
    out.params = simdjson::minify(*params);
  }

  void check_url(dom::object params, const std::string& pointer,
                 field_errors& errors) const {
    std::string_view url;
    if (params["url"].get(url))
      return;
    if (auto fault = source_url_fault(url, guard))
      errors.add(pointer_to(pointer, "url"), std::move(fault->detail),
                 std::move(fault->code));
  }
};

submit_reader::submit_reader(const media::address_guard& guard)
  : impl_{new impl{guard}} {
  for (const auto& type : media::job_types())
    impl_->schemas.emplace_back(type);
}

submit_reader::~submit_reader() = default;

std::variant<submit_request, problem> submit_reader::read(std::string_view body,
                                                          bool takes_key) {
  dom::element document;
  if (auto fault = impl_->parser.parse(body, document))
    return std::move(*fault);
  dom::object object;
  if (document.get(object))
    return problem{problem_code::invalid_params,
                   "the body must be an object",
                   {{"", "must be an object", {}}}};
  field_errors errors;
  object_reader in{object, "", errors};
  submit_request out;
  const auto* schema = impl_->read_type(in, errors);
  impl_->read_params(in, schema, errors, out.draft);
  read_effort(in, errors, out.draft);
  read_schedule(in, out.draft);
  read_labels(in, out.draft);
  read_durability(in, out);
  refuse_later_stages(in);
  if (takes_key)
    in.text("idempotency_key", out.idempotency_key, max_idempotency_key);
  in.finish();
  if (!errors.empty())
    return problem_from(errors);
  out.draft.type = schema->type().name;
  out.draft.queue = schema->type().queue;
  if (out.draft.concurrency_key.empty())
    out.draft.concurrency_key =
      media::default_concurrency_key(out.draft.type, out.draft.params);
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
  return problem{problem_code::durability_unavailable,
                 "the store reaches " + std::string{store::to_string(reached)}
                   + " at present"};
}

bool is_idempotency_key(std::string_view key) noexcept {
  return !key.empty() && key.size() <= max_idempotency_key
         && std::ranges::all_of(key,
                                [](char c) { return c > 0x20 && c < 0x7f; });
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
