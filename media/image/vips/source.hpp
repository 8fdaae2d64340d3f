#pragma once

#include "media/codec/worker.hpp"
#include "media/image/task.hpp"

#include <vips/vips8>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::codec {

/// By its first bytes; `none` if we know no such image.
[[nodiscard]] media::image_format sniff_image(std::string_view bytes);

/// All bytes of a source. `too_large`, `io_error`.
[[nodiscard]] result<std::string> read_file(int file, std::uint64_t most);
[[nodiscard]] result<std::string>
read_asked(task_context& context, std::int64_t size, std::uint64_t most);

/// What libvips last said, in one line; it forgets it.
[[nodiscard]] std::string take_vips_words();

/// Names of all that a header says.
[[nodiscard]] std::vector<std::string> fields_of(const vips::VImage& image);

/// An image that can be decoded, once or more. Invariant: its header was read
/// and is within the limits.
class image_source {
public:
  /// Reads the header. `invalid_media`, `too_large`.
  [[nodiscard]] static result<image_source> open(std::string bytes,
                                                 const media::image_order& by);

  [[nodiscard]] const media::image_facts& facts() const noexcept {
    return facts_;
  }
  [[nodiscard]] const std::string& bytes() const noexcept {
    return bytes_;
  }

  /// A pipeline that decodes it, row after row, when it is used; frames lie one
  /// below the other. Throws `vips::VError`. @pre outlives what is made of it
  /// @param shrink 1, 2, 4 or 8; what cannot be shrunk on the way in is not. A
  /// drawing is drawn as large as that makes it, whatever it is
  /// @param frames that are decoded; 1 to `facts().frames`
  [[nodiscard]] vips::VImage decode(double shrink, std::uint32_t frames) const;

private:
  image_source(std::string bytes, bool lenient)
    : bytes_(std::move(bytes)), lenient_(lenient) {}

  result<void> check_png_header(const media::image_limits& limits);
  void read_header();
  [[nodiscard]] result<void> check(const media::image_limits& limits) const;

  std::string bytes_;
  bool lenient_;
  media::image_facts facts_;
};

} // namespace troupe::codec
