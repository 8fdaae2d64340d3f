#include "net/batch_reader.hpp"

#include "actors/store/handed_on.hpp"
#include "net/job_reader.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::net {

namespace {

namespace dom = simdjson::dom;

std::string place_of(std::size_t index) {
  return "/jobs/" + std::to_string(index);
}

/// The sibling that `#7` names; nothing if it is none of `count`.
std::optional<std::size_t> sibling_of(std::string_view name,
                                      std::size_t count) {
  std::size_t index = 0;
  const auto* end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data() + 1, end, index);
  if (error != std::errc{} || at != end || index >= count)
    return std::nullopt;
  return index;
}

/// Turns the names of siblings into ids, and sees to it that no job waits for
/// itself.
class family {
public:
  family(std::vector<store::job_draft>& jobs, field_errors& errors)
    : jobs_{jobs}, errors_{errors}, parents_(jobs.size()) {}

  void settle() {
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      name_parents(i);
      name_in_params(i);
    }
    std::size_t parents = 0;
    for (const auto& job : jobs_)
      parents += job.depends_on.size();
    if (parents > max_batch_parents)
      errors_.add("/jobs", "depend on " + std::to_string(parents)
                             + " jobs, all together; at most "
                             + std::to_string(max_batch_parents)
                             + " are possible in one batch");
    else
      refuse_cycles();
  }

private:
  void name_parents(std::size_t child) {
    std::size_t at = 0;
    for (auto& id : jobs_[child].depends_on) {
      if (id.front() == '#') {
        const auto sibling = sibling_of(id, jobs_.size());
        if (!sibling || *sibling == child)
          errors_.add(place_of(child) + "/depends_on/" + std::to_string(at),
                      "names no other job of this batch");
        else
          id = adopt(child, *sibling);
      }
      ++at;
    }
    auto& ids = jobs_[child].depends_on;
    std::ranges::sort(ids);
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  }

  /// `{{job:#0.…}}`; a job whose result is used is waited for, too.
  void name_in_params(std::size_t child) {
    static constexpr std::string_view mark = "{{job:#";
    auto& params = jobs_[child].params;
    for (auto at = params.find(mark); at != params.npos;
         at = params.find(mark, at + 1)) {
      const auto from = at + mark.size() - 1;
      const auto end = params.find_first_not_of("0123456789", from + 1);
      const auto name = std::string_view{params}.substr(from, end - from);
      const auto sibling = sibling_of(name, jobs_.size());
      if (!sibling || *sibling == child) {
        errors_.add(place_of(child) + "/params",
                    "names no other job of this batch");
        return;
      }
      const auto close = params.find("}}", from);
      const auto what = std::string_view{params}.substr(0, close).substr(
        std::min({end, close, params.size()}));
      if (!what.starts_with('.') || !store::can_be_handed_on(what.substr(1))) {
        errors_.add(place_of(child) + "/params",
                    params.substr(at, close - at)
                      + "}} is neither .source nor .result.FIELD");
        return;
      }
      auto id = adopt(child, *sibling);
      params.replace(from, name.size(), id);
      auto& ids = jobs_[child].depends_on;
      if (std::ranges::find(ids, id) == ids.end())
        ids.push_back(std::move(id));
    }
  }

  std::string adopt(std::size_t child, std::size_t parent) {
    parents_[child].push_back(parent);
    return jobs_[parent].id;
  }

  /// Takes away, round by round, those that wait for nobody.
  void refuse_cycles() {
    std::vector<std::vector<std::size_t>> children(jobs_.size());
    std::vector<std::size_t> waits(jobs_.size()), free;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      for (const auto parent : parents_[i])
        children[parent].push_back(i);
      waits[i] = parents_[i].size();
      if (waits[i] == 0)
        free.push_back(i);
    }
    std::size_t done = 0;
    for (; done < free.size(); ++done)
      for (const auto child : children[free[done]])
        if (--waits[child] == 0)
          free.push_back(child);
    for (std::size_t i = 0; done < jobs_.size() && i < jobs_.size(); ++i)
      if (waits[i] > 0)
        errors_.add(place_of(i) + "/depends_on",
                    "waits for itself by way of others");
  }

  std::vector<store::job_draft>& jobs_;
  field_errors& errors_;
  std::vector<std::vector<std::size_t>> parents_;
};

/// `local` is for single jobs: no batch is ever spooled.
void raise(batch_request& out, const submit_request& asked) {
  if (!asked.durability)
    return;
  if (asked.durability_strict
      && (!out.durability || !suffices(*out.durability, *asked.durability)))
    out.durability = asked.durability;
  if (*asked.durability == store::durability::local)
    return;
  out.asked = std::max(out.asked, *asked.durability);
  if (asked.durability_strict)
    out.required = std::max(out.required, *asked.durability);
}

} // namespace

struct batch_reader::impl {
  job_reader jobs;
  const media::address_guard& guard;

  void read_jobs(object_reader& in, const std::function<std::string()>& mint,
                 field_errors& errors, batch_request& out) const {
    const auto given = in.require("jobs");
    dom::array array;
    if (!given)
      return;
    if (given->get(array) || array.size() == 0 || array.size() > max_batch)
      return in.wrong("jobs", "must be an array of 1 to 10000 jobs");
    out.jobs.reserve(array.size());
    for (const auto each : array) {
      const auto place = place_of(out.jobs.size());
      submit_request job;
      dom::object object;
      if (each.get(object)) {
        errors.add(place, "must be an object");
      } else {
        object_reader fields{object, place, errors};
        jobs.read(fields, job_place::batch, errors, job);
        fields.finish();
      }
      job.draft.id = mint();
      raise(out, job);
      out.jobs.push_back(std::move(job.draft));
    }
    if (errors.empty())
      family{out.jobs, errors}.settle();
  }
};

batch_reader::batch_reader(const media::address_guard& guard,
                           media::option_rules images)
  : impl_{new impl{job_reader{guard, std::move(images)}, guard}} {}

batch_reader::~batch_reader() = default;

std::variant<batch_request, problem>
batch_reader::read(std::string_view body,
                   const std::function<std::string()>& mint) const {
  batch_request out;
  auto fault = read_body(body, [&](object_reader& in, field_errors& errors) {
    in.texts("tags", out.tags, 64, 128);
    read_callback_url(in, impl_->guard, out.callback_url);
    impl_->read_jobs(in, mint, errors, out);
  });
  if (fault)
    return std::move(*fault);
  out.id = mint();
  return out;
}

} // namespace troupe::net
