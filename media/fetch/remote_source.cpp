#include "media/fetch/remote_source.hpp"

#include "media/fetch/status.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace troupe::media {

namespace {

/// Heads of streams, the index at the end, and what lies between.
constexpr std::size_t most_blocks = 16;
/// Headers, TLS and redirects come on top of what is read.
constexpr std::uint64_t beside_bytes = 8u << 20;

} // namespace

remote_source::remote_source(runtime& threads, range_fetcher& fetcher,
                             egress_proxy& proxy, std::string url,
                             std::uint64_t most)
  : threads_(threads), fetcher_(fetcher), url_(std::move(url)),
    account_(proxy.open({most + beside_bytes, 0})) {}

void remote_source::read(std::uint64_t offset, std::size_t size, heard done) {
  const auto end = [this] {
    return total_ >= 0 ? static_cast<std::uint64_t>(total_) : ~0ull;
  };
  if (trouble_.code != errc::none)
    return done(fail(trouble_.code, trouble_.message));
  if (has_whole_ && offset < whole_.size())
    return done(whole_.substr(offset, size));
  if (offset >= end())
    return done(std::string{});
  if (has_whole_) {
    fail_with(errc::source_unavailable, "its server knows no ranges");
    return done(fail(trouble_.code, trouble_.message));
  }
  if (const auto* found = find(offset))
    return done(found->bytes.substr(offset - found->offset, size));
  ask(offset - offset % block_size,
      [this, offset, size, done = std::move(done)]() mutable {
        read(offset, size, std::move(done));
      });
}

void remote_source::close() {
  fail_with(errc::interrupted, "it was closed");
  account_.reset();
}

/// A block that ends before its time ends the resource.
const remote_source::block* remote_source::find(std::uint64_t offset) const {
  const auto at = std::ranges::find_if(blocks_, [offset](const block& it) {
    return it.offset <= offset && offset < it.offset + block_size;
  });
  if (at == blocks_.end() || offset >= at->offset + at->bytes.size())
    return nullptr;
  return &*at;
}

void remote_source::ask(std::uint64_t at, std::function<void()> then) {
  if (blocks_.size() == most_blocks)
    blocks_.pop_back();
  auto take_in = [self = shared_from_this(), at,
                  then = std::move(then)](range_answer answer) mutable {
    boost::asio::post(
      self->threads_.io(),
      [self, at, answer = std::move(answer), then = std::move(then)]() mutable {
        self->take(at, std::move(answer));
        then();
      });
  };
  range_request wanted;
  wanted.url = url_;
  wanted.proxy = account_->url();
  wanted.offset = at;
  wanted.size = block_size;
  wanted.validator = validator_;
  fetcher_.fetch(std::move(wanted), std::move(take_in));
}

void remote_source::take(std::uint64_t at, range_answer answer) {
  if (answer.status == 206)
    return take_part(at, answer);
  if (answer.status == 200)
    return take_whole(answer);
  if (answer.status != 416)
    return refuse(answer);
  // Nothing lies there: it ends before.
  if (total_ >= 0)
    return fail_with(errc::source_changed, "it changed while it was read");
  total_ = static_cast<std::int64_t>(at);
}

void remote_source::take_part(std::uint64_t at, range_answer& answer) {
  const bool other = (total_ >= 0 && answer.total != total_)
                     || (!validator_.empty() && answer.validator != validator_);
  if (other)
    return fail_with(errc::source_changed, "it changed while it was read");
  validator_ = std::move(answer.validator);
  total_ = answer.total;
  if (total_ < 0 && answer.bytes.size() < block_size)
    total_ = static_cast<std::int64_t>(at + answer.bytes.size());
  const auto due =
    total_ < 0
      ? block_size
      : std::min<std::uint64_t>(
        block_size,
        static_cast<std::uint64_t>(total_)
          - std::min<std::uint64_t>(at, static_cast<std::uint64_t>(total_)));
  if (answer.bytes.size() != due)
    return fail_with(errc::incomplete, "its server sent less than it said");
  blocks_.push_front({at, std::move(answer.bytes)});
}

/// Without ranges, or of another version than what was read before.
void remote_source::take_whole(range_answer& answer) {
  if (!validator_.empty() || !blocks_.empty())
    return fail_with(errc::source_changed, "it changed while it was read");
  has_whole_ = true;
  whole_ = std::move(answer.bytes);
  total_ = answer.total;
  if (total_ < 0 && whole_.size() < range_fetcher::most_whole)
    total_ = static_cast<std::int64_t>(whole_.size());
}

void remote_source::refuse(const range_answer& answer) {
  if (!account_)
    return;
  const auto seen = account_->report();
  if (seen.refused == errc::too_large)
    return fail_with(errc::too_large, "more would be read than may be");
  if (seen.refused != errc::none)
    return fail_with(seen.refused, seen.refused_detail);
  if (seen.unreached != errc::none
      && (answer.status == 0 || answer.status == 502))
    return fail_with(seen.unreached, seen.last_failure);
  if (answer.status == 0)
    return fail_with(errc::source_unavailable, answer.error);
  fail_with(code_of_status(answer.status),
            "its server answers " + std::to_string(answer.status),
            answer.retry_after_s);
}

void remote_source::fail_with(errc code, std::string message,
                              double retry_after_s) {
  if (trouble_.code == errc::none)
    trouble_ = {code, std::move(message), retry_after_s};
}

} // namespace troupe::media
