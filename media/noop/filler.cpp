#include "media/noop/filler.hpp"

#include "media/descriptor.hpp"
#include "media/files/sync.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <system_error>
#include <unistd.h>

namespace troupe::media {

namespace {

std::string block_of(std::string_view seed) {
  constexpr std::size_t block_size = 64 * 1024;
  std::string block;
  while (block.size() < block_size)
    block.append(seed).push_back('\n');
  return block;
}

} // namespace

result<file_digest> write_filler(const std::filesystem::path& file,
                                 std::string_view seed, std::int64_t size) {
  std::error_code made;
  std::filesystem::create_directories(file.parent_path(), made);
  if (made)
    return file_failure(file.parent_path(), made.value());
  const descriptor out{
    ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
  if (!out)
    return file_failure(file);
  const auto block = block_of(seed);
  for (auto left = size; left > 0;) {
    const auto part =
      std::min<std::int64_t>(left, static_cast<std::int64_t>(block.size()));
    const auto wrote =
      ::write(out.get(), block.data(), static_cast<std::size_t>(part));
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote < 0)
      return file_failure(file);
    left -= wrote;
  }
  if (::fsync(out.get()) != 0)
    return file_failure(file);
  return digest_of(file);
}

} // namespace troupe::media
