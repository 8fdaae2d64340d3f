#include "media/cache/cache_journal.hpp"

#include "media/errc.hpp"
#include "media/files/sync.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace troupe::media {

namespace {

constexpr std::size_t flush_at = 1u << 20;

/// As it lies in the file.
struct plain_record {
  std::uint8_t what = 0;
  std::uint8_t kind = 0;
  std::uint16_t unused = 0;
  float cost = 0;
  cache_key key;
  cache_key digest;
  std::uint64_t size = 0;
  std::uint64_t source = 0;
  std::array<std::uint64_t, most_noted_tags> tags{};
  std::uint64_t sum = 0;
};
static_assert(sizeof(plain_record) == 96);

/// FNV-1a of all that stands before it; a record of zeros does not pass.
std::uint64_t sum_of(const plain_record& record) {
  std::array<unsigned char, offsetof(plain_record, sum)> bytes;
  std::memcpy(bytes.data(), &record, bytes.size());
  std::uint64_t sum = 0xcbf29ce484222325;
  for (const auto byte : bytes)
    sum = (sum ^ byte) * 0x100000001b3;
  return sum;
}

plain_record plain(const journal_record& from) {
  plain_record to;
  to.what = static_cast<std::uint8_t>(from.what);
  to.kind = from.note.kind;
  to.cost = from.note.cost;
  to.key = from.key;
  to.digest = from.digest;
  to.size = from.size;
  to.source = from.note.source;
  std::copy_n(from.note.tags.begin(),
              std::min(from.note.tags.size(), most_noted_tags),
              to.tags.begin());
  to.sum = sum_of(to);
  return to;
}

journal_record full(const plain_record& from) {
  journal_record to;
  to.what = static_cast<journal_record::kind>(from.what);
  to.key = from.key;
  to.digest = from.digest;
  to.size = from.size;
  to.note = {from.kind, from.cost, from.source, {}};
  for (const auto tag : from.tags)
    if (tag != 0)
      to.note.tags.push_back(tag);
  return to;
}

} // namespace

result<cache_journal>
cache_journal::open(std::filesystem::path file,
                    const std::function<void(const journal_record&)>& hear) {
  descriptor fd{
    ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600)};
  if (!fd)
    return file_failure(file);
  cache_journal journal{std::move(file), std::move(fd)};
  std::vector<plain_record> some(8192);
  for (off_t at = 0;;) {
    const auto got =
      ::pread(journal.fd_.get(), some.data(), some.size() * sizeof some[0], at);
    if (got < 0)
      return file_failure(journal.file_);
    const auto count = static_cast<std::size_t>(got) / sizeof some[0];
    if (count == 0)
      break;
    for (std::size_t i = 0; i < count; ++i)
      if (some[i].sum == sum_of(some[i]))
        hear(full(some[i]));
    at += static_cast<off_t>(count * sizeof some[0]);
    journal.records_ += count;
  }
  const auto whole = static_cast<off_t>(journal.records_ * sizeof some[0]);
  if (::ftruncate(journal.fd_.get(), whole) != 0)
    return file_failure(journal.file_);
  return journal;
}

result<void> cache_journal::add(const journal_record& record) {
  const auto text = plain(record);
  pending_.append(reinterpret_cast<const char*>(&text), sizeof text);
  if (gathering_ && pending_.size() < flush_at)
    return {};
  return flush();
}

result<void> cache_journal::flush() {
  const auto text = std::exchange(pending_, {});
  if (!fd_)
    return fail(errc::io_error, "the cache's journal was lost");
  const auto done = ::write(fd_.get(), text.data(), text.size());
  if (done == static_cast<ssize_t>(text.size())) {
    records_ += text.size() / sizeof(plain_record);
    return {};
  }
  const auto why = file_failure(file_, done < 0 ? errno : ENOSPC);
  // Half a record would put all later ones out of step.
  const auto whole = static_cast<off_t>(records_ * sizeof(plain_record));
  if (::ftruncate(fd_.get(), whole) != 0)
    fd_.reset();
  return why;
}

result<void> cache_journal::rewrite(
  const std::function<result<void>(cache_journal&)>& write) {
  auto fresh = file_;
  fresh += ".new";
  descriptor fd{::open(
    fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0600)};
  if (!fd)
    return file_failure(fresh);
  cache_journal next{fresh, std::move(fd)};
  next.gathering_ = true;
  if (const auto done = write(next); !done)
    return done;
  if (const auto done = next.flush(); !done)
    return done;
  next.gathering_ = false;
  if (::rename(fresh.c_str(), file_.c_str()) != 0)
    return file_failure(fresh);
  next.file_ = file_;
  *this = std::move(next);
  return {};
}

} // namespace troupe::media
