#include "media/imaging/remote_images.hpp"

#include "media/download/params.hpp"
#include "media/errc.hpp"
#include "media/fetch/status.hpp"
#include "media/imaging/origin_pause.hpp"
#include "media/imaging/source_name.hpp"

#include <utility>

namespace troupe::media {

namespace {

/// Headers, TLS and redirects come on top of what is read.
constexpr std::uint64_t wire_margin = 1u << 20;

std::chrono::milliseconds from_seconds(double seconds) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
}

failure too_large() {
  return fail(errc::too_large, "the source has more bytes than it may have");
}

} // namespace

remote_images::remote_images(const config::image_settings& settings,
                             const address_guard& guard, egress_proxy& proxy,
                             range_fetcher& fetcher)
  : max_bytes_(settings.max_bytes), limit_(from_seconds(settings.timeout_s)),
    rules_{from_seconds(settings.revalidate_s), from_seconds(settings.stale_s)},
    guard_(guard), proxy_(proxy), fetcher_(fetcher) {}

std::optional<remote_images::known>
remote_images::find(const std::string& url,
                    freshness_rules::clock::time_point now) const {
  const std::lock_guard lock{mutex_};
  const auto found = records_.find(url);
  if (found == records_.end())
    return std::nullopt;
  const auto how = rules_.of(found->second.record.checked, now);
  if (how == freshness::gone)
    return std::nullopt;
  return known{found->second.record, how == freshness::stale};
}

bool remote_images::knows(const std::string& url) const {
  const std::lock_guard lock{mutex_};
  return records_.contains(url);
}

void remote_images::restore(const std::string& url,
                            const remote_record& record) {
  const auto mark = source_mark(url);
  const std::lock_guard lock{mutex_};
  if (records_.size() < most_records)
    records_.try_emplace(url, entry{record, mark});
}

range_request remote_images::request_of(const std::string& url, bool anew) {
  range_request wanted;
  wanted.url = url;
  wanted.whole = true;
  wanted.size = max_bytes_;
  wanted.limit = limit_;
  const auto found = records_.find(url);
  if (found != records_.end() && !anew) {
    wanted.etag = found->second.record.etag;
    wanted.last_modified = found->second.record.last_modified;
  }
  return wanted;
}

void remote_images::fetch(const std::string& url, bool anew,
                          fetched_heard heard) {
  const auto host = host_of_url(url);
  if (host.empty())
    return heard(fail(errc::bad_params, "no URL of a source"));
  if (!guard_.may_name(host))
    return heard(
      fail(errc::source_forbidden, host + " may not be fetched from"));
  range_request wanted;
  const auto mine = std::make_shared<flight>();
  mine->mark = source_mark(url);
  {
    const std::lock_guard lock{mutex_};
    auto& there = under_way_[url];
    if (there)
      return there->waiting.push_back(std::move(heard));
    there = mine;
    mine->waiting.push_back(std::move(heard));
    wanted = request_of(url, anew);
    ++fetches_;
  }
  const std::shared_ptr<egress_account> account{
    proxy_.open({max_bytes_ + wire_margin, 0})};
  wanted.proxy = account->url();
  fetcher_.fetch(
    std::move(wanted), [this, url, mine, account](range_answer answer) {
      settle(url, mine, judge(url, std::move(answer), account->report()));
    });
}

result<remote_fetched> remote_images::judge(const std::string& url,
                                            range_answer answer,
                                            const egress_report& seen) {
  if (seen.refused == errc::too_large || answer.bytes.size() > max_bytes_)
    return too_large();
  if (seen.refused != errc::none)
    return fail(seen.refused, seen.refused_detail);
  if (answer.status == 0)
    return fail(answer.wrong, answer.error);
  remote_fetched out;
  if (answer.status == 304) {
    const std::lock_guard lock{mutex_};
    const auto found = records_.find(url);
    if (found == records_.end())
      return fail(errc::invalid_media,
                  "its server answers 304 to what was no condition");
    out.record = found->second.record;
  } else if (answer.status == 429 && answer.retry_after_s > 0) {
    return pause_of(answer.retry_after_s);
  } else if (answer.status != 200) {
    return fail(code_of_status(answer.status),
                "its server answers " + std::to_string(answer.status));
  } else {
    out.record.digest = key_of(answer.bytes);
    out.record.size = answer.bytes.size();
    out.record.look =
      look_at(std::string_view{answer.bytes}.substr(0, look_bytes));
    out.record.etag = std::move(answer.etag);
    out.record.last_modified = std::move(answer.last_modified);
    out.bytes = std::make_shared<const std::string>(std::move(answer.bytes));
  }
  out.record.checked = freshness_rules::clock::now();
  return out;
}

void remote_images::settle(const std::string& url, const flight_ptr& done,
                           const result<remote_fetched>& outcome) {
  {
    const std::lock_guard lock{mutex_};
    const auto at = under_way_.find(url);
    if (at != under_way_.end() && at->second == done) {
      under_way_.erase(at);
      if (outcome) {
        if (records_.size() >= most_records && !records_.contains(url))
          records_.erase(records_.begin());
        records_[url] = {outcome->record, done->mark};
      }
    }
  }
  for (const auto& each : done->waiting)
    each(outcome);
}

void remote_images::forget(const purge_order& order) {
  const auto met = [&order](std::uint64_t mark) {
    return order.what != purge_order::kind::source || mark == order.mark;
  };
  const std::lock_guard lock{mutex_};
  std::erase_if(records_,
                [&met](const auto& each) { return met(each.second.mark); });
  std::erase_if(under_way_,
                [&met](const auto& each) { return met(each.second->mark); });
}

std::uint64_t remote_images::fetches() const {
  const std::lock_guard lock{mutex_};
  return fetches_;
}

} // namespace troupe::media
