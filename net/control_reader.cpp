#include "net/control_reader.hpp"

#include "actors/store/cron.hpp"
#include "net/job_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::net {

namespace {

constexpr std::int64_t most_jobs = 1'000'000;
constexpr double most_per_s = 1'000'000;

/// The place of `text` in `words`, which is also the value of its enumerator.
template <class Enum, std::size_t N>
bool pick(const std::array<std::string_view, N>& words, std::string_view text,
          Enum& out) {
  const auto at = std::ranges::find(words, text);
  if (at == words.end())
    return false;
  out = static_cast<Enum>(at - words.begin());
  return true;
}

/// True for a filter that all jobs pass.
bool names_nothing(const store::list_query& filter) {
  return !filter.state && filter.type.empty() && filter.queue.empty()
         && filter.tag.empty() && filter.batch.empty();
}

void read_conditions(object_reader& in, field_errors& errors,
                     store::list_query& out) {
  const auto object = in.object("filter");
  if (!object)
    return;
  object_reader fields{*object, in.pointer("filter"), errors};
  std::string state;
  if (fields.text("state", state, 32)) {
    store::job_state read{};
    if (store::from_string(state, read))
      out.state = read;
    else
      fields.wrong("state", "is no state of a job");
  }
  fields.text("type", out.type, 512);
  fields.text("queue", out.queue, 512);
  fields.text("tag", out.tag, 512);
  fields.text("batch", out.batch, 512);
  fields.finish();
}

/// All jobs are meant only by who says so.
void read_filter(object_reader& in, field_errors& errors,
                 store::list_query& out) {
  field_errors found;
  bool all = false;
  in.boolean("all", all);
  read_conditions(in, found, out);
  const bool good = found.empty();
  for (auto& each : found.take())
    errors.add(std::move(each.pointer), std::move(each.detail),
               std::move(each.code));
  if (!good)
    return;
  if (all && !names_nothing(out))
    in.wrong("all", "cannot stand beside a filter");
  else if (!all && names_nothing(out))
    in.wrong("filter", "must name at least one of state, type, queue, tag and "
                       "batch, unless all is true");
}

/// Says which of the two makes no sense.
void check_times(object_reader& in, const store::schedule& asked) {
  if (asked.cron.empty())
    return;
  if (const auto read = store::cron::parse(asked.cron, "UTC"); !read)
    return in.wrong("cron", read.error().detail);
  if (const auto read = store::cron::parse(asked.cron, asked.timezone); !read)
    in.wrong("timezone", read.error().detail);
}

} // namespace

std::variant<limits_request, problem> read_limits(std::string_view body) {
  limits_request out;
  auto fault = read_body(body, [&out](object_reader& in, field_errors&) {
    if (in.has("concurrency")) {
      std::int64_t concurrency = 0;
      in.integer("concurrency", concurrency, 0, most_jobs);
      out.concurrency = static_cast<std::uint32_t>(concurrency);
    }
    if (in.has("rate_per_s")) {
      out.rate_per_s = 0;
      in.number("rate_per_s", *out.rate_per_s, 0, most_per_s);
    }
  });
  if (fault)
    return std::move(*fault);
  return out;
}

std::variant<store::bulk_request, problem> read_action(std::string_view body) {
  static constexpr std::array<std::string_view, 3> actions{"retry", "cancel",
                                                           "purge"};
  store::bulk_request out;
  auto fault = read_body(body, [&out](object_reader& in, field_errors& errors) {
    std::string action;
    if (in.require("action") && in.text("action", action, 16)
        && !pick(actions, action, out.action))
      in.wrong("action", "must be retry, cancel or purge");
    read_filter(in, errors, out.filter);
    in.boolean("dry_run", out.dry_run);
    in.text("cursor", out.cursor, 512);
  });
  if (fault)
    return std::move(*fault);
  return out;
}

struct schedule_reader::impl {
  job_reader jobs;

  void read(object_reader& in, field_errors& errors,
            store::schedule& out) const {
    std::string overlap, missed;
    if (in.require("cron"))
      in.text("cron", out.cron, 256);
    in.text("timezone", out.timezone, 64);
    check_times(in, out);
    if (in.text("overlap", overlap, 16)
        && !store::from_string(overlap, out.overlap))
      in.wrong("overlap", "must be skip or allow");
    if (in.text("catch_up", missed, 16)
        && !store::from_string(missed, out.catch_up))
      in.wrong("catch_up", "must be none, one or all");
    (void)in.require("job");
    const auto object = in.object("job");
    if (!object)
      return;
    object_reader fields{*object, in.pointer("job"), errors};
    submit_request job;
    jobs.read(fields, job_place::schedule, errors, job);
    fields.finish();
    out.job = std::move(job.draft);
  }
};

schedule_reader::schedule_reader(const media::address_guard& guard,
                                 media::option_rules images)
  : impl_{new impl{job_reader{guard, std::move(images)}}} {}

schedule_reader::~schedule_reader() = default;

std::variant<store::schedule, problem>
schedule_reader::read(std::string_view body) const {
  store::schedule out;
  auto fault = read_body(body, [&](object_reader& in, field_errors& errors) {
    impl_->read(in, errors, out);
  });
  if (fault)
    return std::move(*fault);
  return out;
}

bool is_schedule_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 128
         && std::ranges::all_of(name, [](char c) {
              return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
                     || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'
                     || c == '.';
            });
}

} // namespace troupe::net
