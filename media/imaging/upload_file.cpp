#include "media/imaging/upload_file.hpp"

#include "media/errc.hpp"
#include "media/files/digest.hpp"
#include "media/files/sync.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;

/// Some file systems know no files without names: then it has one for a
/// moment.
descriptor open_nameless(const fs::path& folder) {
  descriptor file{::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
  if (file || (errno != EOPNOTSUPP && errno != EISDIR))
    return file;
  auto name = (folder / "XXXXXX").string();
  file.reset(::mkostemp(name.data(), O_CLOEXEC));
  if (file)
    ::unlink(name.c_str());
  return file;
}

failure write_failure(const fs::path& name) {
  if (errno == ENOSPC || errno == EDQUOT)
    return fail(errc::disk_full, "there is no room for the image");
  return file_failure(name);
}

} // namespace

result<upload_file> upload_file::open(const fs::path& folder,
                                      std::uint64_t expected,
                                      std::uint64_t leave_free) {
  std::error_code error;
  fs::create_directories(folder, error);
  upload_file made{open_nameless(folder), leave_free};
  if (!made.file_)
    return write_failure(folder);
  if (auto room = made.check_room(expected); !room)
    return room.error();
  return made;
}

result<void> upload_file::check_room(std::uint64_t more) const {
  struct statvfs disk {};
  if (::fstatvfs(file_.get(), &disk) != 0)
    return file_failure("upload");
  if (std::uint64_t{disk.f_bavail} * disk.f_frsize < leave_free_ + more)
    return fail(errc::disk_full, "there is no room for the image");
  return {};
}

result<void> upload_file::add(std::string_view bytes) {
  if (auto room = check_room(bytes.size()); !room)
    return room;
  while (!bytes.empty()) {
    const auto done = ::write(file_.get(), bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return write_failure("upload");
    bytes.remove_prefix(static_cast<std::size_t>(done));
    size_ += static_cast<std::uint64_t>(done);
  }
  return {};
}

result<std::shared_ptr<const image_input>> upload_file::finish() {
  std::array<char, look_bytes> head{};
  const auto got = ::pread(file_.get(), head.data(), head.size(), 0);
  if (got < 0 || ::lseek(file_.get(), 0, SEEK_SET) != 0)
    return file_failure("upload");
  const auto digest = digest_of_open(file_.get(), "upload");
  if (!digest)
    return digest.error();
  auto input = std::make_shared<image_input>();
  input->name = "upload";
  input->identity = "upload\n" + digest->sha256;
  input->size = size_;
  input->look = look_at({head.data(), static_cast<std::size_t>(got)});
  input->steady = true;
  input->file = std::move(file_);
  return std::shared_ptr<const image_input>{std::move(input)};
}

} // namespace troupe::media
