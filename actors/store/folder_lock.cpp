#include "actors/store/folder_lock.hpp"

#include "media/descriptor.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <string_view>
#include <utility>

namespace troupe::store {

namespace {

using media::descriptor;

constexpr std::size_t node_id_chars = 16;

failure system_failure(const std::filesystem::path& path, int code) {
  const auto why =
    code == ENOSPC || code == EDQUOT ? errc::disk_full : errc::bad_config;
  return fail(why, path.string() + ": " + std::system_category().message(code));
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const auto wrote = ::write(file, text.data(), text.size());
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote <= 0)
      return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

/// The first line of a small file.
std::string read_line(int file) {
  std::array<char, 64> bytes{};
  const auto got = ::pread(file, bytes.data(), bytes.size(), 0);
  const std::string_view text{
    bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  return std::string{text.substr(0, text.find('\n'))};
}

bool is_node_id(std::string_view text) {
  return text.size() == node_id_chars
         && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::string new_node_id() {
  std::random_device source;
  std::string id;
  while (id.size() < node_id_chars)
    id += "0123456789abcdef"[source() & 15];
  return id;
}

/// Makes the folder for its user alone; one that is there stays as it is.
/// @returns 0, or errno
int make_private(const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::is_directory(folder, error))
    return 0;
  if (const auto above = folder.parent_path(); !above.empty())
    std::filesystem::create_directories(above, error);
  if (error)
    return error.value();
  if (::mkdir(folder.c_str(), 0700) == 0)
    return 0;
  const int why = errno;
  return std::filesystem::is_directory(folder, error) ? 0 : why;
}

/// Written whole or not at all.
result<std::string> write_node_id(const std::filesystem::path& path) {
  auto id = new_node_id();
  const auto fresh = path.string() + ".new";
  const descriptor file{
    ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (file.get() < 0 || !write_all(file.get(), id + "\n")
      || ::fsync(file.get()) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0)
    return system_failure(path, errno);
  return id;
}

} // namespace

result<folder_lock> folder_lock::take(const std::filesystem::path& folder) {
  if (const int error = make_private(folder); error != 0)
    return system_failure(folder, error);
  const auto path = folder / "lock";
  descriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (file.get() < 0)
    return system_failure(path, errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return fail(errc::locked, folder.string() + ", held by process "
                                  + read_line(file.get()));
    return system_failure(path, errno);
  }
  // The pid is for people; the lock itself is the system's.
  if (::ftruncate(file.get(), 0) != 0
      || !write_all(file.get(), std::to_string(::getpid()) + "\n"))
    return system_failure(path, errno);
  return folder_lock{file.release()};
}

folder_lock::folder_lock(folder_lock&& other) noexcept
  : file_{std::exchange(other.file_, -1)} {}

folder_lock& folder_lock::operator=(folder_lock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

folder_lock::~folder_lock() {
  if (file_ >= 0)
    ::close(file_);
}

result<std::string> node_id_of(const std::filesystem::path& folder) {
  const auto path = folder / "node-id";
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0 && errno != ENOENT)
    return system_failure(path, errno);
  if (file.get() < 0)
    return write_node_id(path);
  auto id = read_line(file.get());
  if (!is_node_id(id))
    return fail(errc::bad_config, path.string() + " holds no node id");
  return id;
}

} // namespace troupe::store
