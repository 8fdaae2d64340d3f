#include "media/transcode/pack_file.hpp"

#include "media/errc.hpp"
#include "media/files/sync.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;

bool put_at(int file, std::string_view bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const auto done =
      ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return false;
    at += static_cast<std::uint64_t>(done);
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

} // namespace

result<std::shared_ptr<pack_file>> pack_file::open(const fs::path& folder,
                                                   std::string_view identity) {
  std::error_code error;
  fs::create_directories(folder, error);
  std::shared_ptr<pack_file> made{new pack_file};
  if (!made->lock_.try_take(folder / "pack.lock"))
    return errno == EWOULDBLOCK ? fail(errc::interrupted, "another has it")
                                : file_failure(folder);
  made->path_ = folder / "pack";
  made->file_ =
    descriptor{::open(made->path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
  if (!made->file_)
    return file_failure(made->path_);
  auto& all = made->entries_;
  all = read_pack(made->file_.get(), true);
  const bool ours = !all.empty() && all.front().part == pack_part::plan
                    && all.front().hash == pack_hash(identity)
                    && all.front().size == identity.size();
  if (!ours)
    all.clear();
  if (!all.empty())
    made->end_ = all.back().at + all.back().size;
  for (const auto& each : all)
    if (each.part == pack_part::init)
      if (auto bytes = read_pack_part(made->file_.get(), each))
        made->inits_[each.track] = std::move(*bytes);
  if (::ftruncate(made->file_.get(), static_cast<off_t>(made->end_)) != 0)
    return file_failure(made->path_);
  if (!ours)
    if (const auto begun = made->add(pack_part::plan, 0, 0, identity); !begun)
      return begun.error();
  return made;
}

const pack_entry* pack_file::find(pack_part part, std::uint8_t track,
                                  std::uint32_t number) const {
  const auto at = std::ranges::find_if(entries_, [=](const pack_entry& each) {
    return each.part == part && each.track == track && each.number == number;
  });
  return at == entries_.end() ? nullptr : &*at;
}

bool pack_file::has(pack_part part, std::uint8_t track,
                    std::uint32_t number) const {
  const std::lock_guard lock{mutex_};
  return find(part, track, number) != nullptr;
}

std::string pack_file::init(std::uint8_t track) const {
  const auto at = inits_.find(track);
  return at == inits_.end() ? std::string{} : at->second;
}

result<void> pack_file::add(pack_part part, std::uint8_t track,
                            std::uint32_t number, std::string_view bytes) {
  const std::lock_guard lock{mutex_};
  if (find(part, track, number))
    return {};
  if (full_)
    return fail(errc::disk_full);
  pack_entry entry;
  entry.part = part;
  entry.track = track;
  entry.number = number;
  entry.size = static_cast<std::uint32_t>(bytes.size());
  entry.hash = pack_hash(bytes);
  entry.at = end_ + pack_head_size;
  return append(entry, bytes);
}

result<void> pack_file::append(pack_entry entry, std::string_view bytes) {
  if (!put_at(file_.get(), bytes, entry.at)
      || !put_at(file_.get(), encode_pack_head(entry), end_))
    return file_failure(path_);
  entries_.push_back(entry);
  end_ = entry.at + entry.size;
  return {};
}

void pack_file::shrink(std::uint64_t bytes) {
  const std::lock_guard lock{mutex_};
  full_ = true;
  const auto goal = end_ - std::min(end_, bytes);
  while (!entries_.empty() && end_ > goal) {
    end_ = entries_.back().at - pack_head_size;
    entries_.pop_back();
  }
  // What cannot be cut off is known by its hash, or read again.
  [[maybe_unused]] const int done =
    ::ftruncate(file_.get(), static_cast<off_t>(end_));
}

std::uint64_t pack_file::size() const {
  const std::lock_guard lock{mutex_};
  return end_;
}

descriptor pack_file::reader() const {
  return descriptor{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
}

} // namespace troupe::media
