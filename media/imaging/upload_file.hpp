#pragma once

#include "config/result.hpp"
#include "media/imaging/work.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace troupe::media {

/// An image that is being sent: a file without a name, gone with its
/// descriptor, whatever becomes of the server. Blocks.
class upload_file {
public:
  /// @param expected bytes that will come, as far as that is known
  /// @param leave_free bytes of the disk that are not to be used
  ///   disk_full  there is no room for it
  ///   io_error
  [[nodiscard]] static result<upload_file>
  open(const std::filesystem::path& folder, std::uint64_t expected,
       std::uint64_t leave_free);

  /// Errors are those of `open`.
  [[nodiscard]] result<void> add(std::string_view bytes);

  /// The image, known by the digest of its bytes. @pre called once, last
  [[nodiscard]] result<std::shared_ptr<const image_input>> finish();

private:
  upload_file(descriptor file, std::uint64_t leave_free)
    : file_(std::move(file)), leave_free_(leave_free) {}
  [[nodiscard]] result<void> check_room(std::uint64_t more) const;

  descriptor file_;
  std::uint64_t leave_free_;
  std::uint64_t size_ = 0;
};

} // namespace troupe::media
