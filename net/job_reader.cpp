#include "net/job_reader.hpp"

#include "actors/store/handed_on.hpp"
#include "media/image_batch/params.hpp"
#include "media/job_types.hpp"
#include "media/probe/local_path.hpp"
#include "net/job_id.hpp"
#include "net/rfc3339.hpp"
#include "net/source_url.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::net {

namespace {

namespace dom = simdjson::dom;

constexpr double day_s = 24 * 3600;
constexpr double year_s = 366 * day_s;
constexpr std::size_t max_parents = 1000;

void read_time(object_reader& in, store::job_draft& out) {
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

bool is_sibling(std::string_view id) {
  return id.size() > 1 && id.size() <= 6 && id.front() == '#'
         && id.find_first_not_of("0123456789", 1) == id.npos;
}

void read_parents(object_reader& in, job_place place, field_errors& errors,
                  store::job_draft& out) {
  in.texts("depends_on", out.depends_on, max_parents, 64);
  std::size_t at = 0;
  for (const auto& id : out.depends_on) {
    const bool good =
      is_job_id(id) || (place == job_place::batch && is_sibling(id));
    if (!good)
      errors.add(in.pointer("depends_on") + '/' + std::to_string(at),
                 "is no job's id");
    ++at;
  }
  std::string policy;
  if (in.text("on_parent_failure", policy, 16)
      && !store::from_string(policy, out.on_parent_failure))
    in.wrong("on_parent_failure", "must be fail, cancel or run");
}

void refuse_in_schedule(object_reader& in) {
  for (const auto* name :
       {"run_at", "delay_s", "depends_on", "on_parent_failure", "durability",
        "durability_strict"})
    if (in.value(name))
      in.wrong(name, "has no meaning in a schedule");
}

/// True for a text that stands for something handed on by a parent: what it
/// will be is known only when that has ended.
bool is_handed_on(dom::object params, std::string_view pointer) {
  std::string_view text;
  return !params.at_pointer(pointer).get(text)
         && text.find("{{job:") != text.npos;
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

} // namespace

problem problem_from(field_errors& errors) {
  auto list = errors.take();
  const auto code = code_of(list);
  std::string detail = list.front().pointer + " " + list.front().detail;
  if (list.size() > 1)
    detail += ", and more";
  return {code, std::move(detail), std::move(list)};
}

void read_callback_url(object_reader& in, const media::address_guard& guard,
                       std::string& out) {
  if (!in.text("callback_url", out, max_url_bytes))
    return;
  if (auto fault = source_url_fault(out, guard))
    in.wrong("callback_url", std::move(fault->detail), std::move(fault->code));
}

job_reader::job_reader(const media::address_guard& guard,
                       media::option_rules images)
  : guard_{guard}, images_{std::move(images)} {
  for (const auto& type : media::job_types())
    schemas_.emplace_back(type);
}

const params_schema* job_reader::find(std::string_view type) const {
  const auto at = std::ranges::find(
    schemas_, type, [](const params_schema& each) { return each.type().name; });
  return at == schemas_.end() ? nullptr : &*at;
}

const params_schema* job_reader::read_type(object_reader& in) const {
  std::string name;
  if (!in.require("type") || !in.text("type", name, 256))
    return nullptr;
  const auto* schema = find(name);
  if (!schema)
    in.wrong("type", "is no job type of this server",
             std::string{kind_of(problem_code::unknown_job_type).word});
  return schema;
}

void job_reader::read_params(object_reader& in, const params_schema* schema,
                             job_place place, field_errors& errors,
                             store::job_draft& out) const {
  const auto given = in.require("params");
  const auto params = in.object("params");
  if (!params)
    return;
  const auto pointer = in.pointer("params");
  note_duplicates(*given, pointer, errors);
  if (!schema)
    return;
  field_errors found;
  check_sources(*params, *schema, pointer, found);
  schema->check(*params, pointer, found);
  if (found.empty() && schema->type().name == "image_batch")
    for (auto& each : media::batch_faults(simdjson::minify(*params), images_))
      found.add(pointer + each.pointer, std::move(each.detail));
  const bool has_parents = place == job_place::batch || !out.depends_on.empty();
  for (auto& each : found.take())
    if (!has_parents
        || !is_handed_on(*params, each.pointer.substr(pointer.size())))
      errors.add(std::move(each.pointer), std::move(each.detail),
                 std::move(each.code));
  out.params = simdjson::minify(*params);
  if (auto wrong = store::never_handed_on(out.params, out.depends_on))
    errors.add(pointer, *wrong + " is neither .source nor .result.FIELD");
}

/// Says more clearly what the schema would, and what it cannot know.
void job_reader::check_sources(dom::object params, const params_schema& schema,
                               const std::string& pointer,
                               field_errors& errors) const {
  const auto check = [&](dom::element value, const std::string& at,
                         auto fault_of) {
    std::string_view text;
    if (value.get(text))
      return;
    if (auto fault = fault_of(text))
      errors.add(at, std::move(fault->detail), std::move(fault->code));
  };
  const auto url = [this](std::string_view text) {
    return source_url_fault(text, guard_);
  };
  const auto source = [this](std::string_view text) {
    return source_fault(text, guard_);
  };
  const auto glob = [](std::string_view text) {
    return folder_fault(media::folder_of_glob(text));
  };
  for (const auto [name, value] : params) {
    const auto at = pointer_to(pointer, name);
    if (!schema.takes(name))
      continue;
    if (name == "url")
      check(value, at, url);
    else if (name == "source")
      check(value, at, source);
    else if (name == "source_dir")
      check(value, at, folder_fault);
    else if (name == "glob")
      check(value, at, glob);
    dom::array sources;
    if (name != "sources" || value.get(sources))
      continue;
    std::size_t i = 0;
    for (const auto each : sources)
      check(each, at + '/' + std::to_string(i++), source);
  }
}

void job_reader::read(object_reader& in, job_place place, field_errors& errors,
                      submit_request& out) const {
  const auto* schema = read_type(in);
  if (place == job_place::schedule) {
    refuse_in_schedule(in);
  } else {
    read_time(in, out.draft);
    read_durability(in, out);
    read_parents(in, place, errors, out.draft);
  }
  read_params(in, schema, place, errors, out.draft);
  read_effort(in, errors, out.draft);
  read_labels(in, out.draft);
  read_callback_url(in, guard_, out.draft.callback_url);
  if (!schema)
    return;
  out.draft.type = schema->type().name;
  out.draft.queue = schema->type().queue;
  if (out.draft.concurrency_key.empty())
    out.draft.concurrency_key =
      media::default_concurrency_key(out.draft.type, out.draft.params);
}

} // namespace troupe::net
