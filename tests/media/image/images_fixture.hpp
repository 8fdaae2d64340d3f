#pragma once

#include "media/child/children.hpp"
#include "media/image/child_task.hpp"
#include "tests/media/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <future>
#include <string>
#include <vector>

namespace troupe::media {

/// Bytes of all pixels, with as many bands as there are.
struct raw_pixels {
  std::string bytes;
};

/// In decibels; 99 for equal ones, 0 where sizes differ.
inline double psnr_of(const raw_pixels& a, const raw_pixels& b) {
  if (a.bytes.size() != b.bytes.size() || a.bytes.empty())
    return 0;
  double sum = 0;
  for (std::size_t i = 0; i < a.bytes.size(); ++i) {
    const int by = static_cast<std::uint8_t>(a.bytes[i])
                   - static_cast<std::uint8_t>(b.bytes[i]);
    sum += by * by;
  }
  const double mean = sum / static_cast<double>(a.bytes.size());
  return mean == 0 ? 99 : std::min(99.0, 10 * std::log10(255 * 255 / mean));
}

/// Real codec children on pictures that libvips' own tools make.
class Images : public testing::Test {
protected:
  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  /// Runs libvips' tools in the test's folder.
  void shell(const std::string& command) const {
    const auto whole = "cd " + folder_.path().string() + " && " + command;
    ASSERT_EQ(std::system(whole.c_str()), 0) << command;
  }

  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream file{path(name), std::ios::binary};
    file << bytes;
  }

  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file{path(name), std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  /// A picture with slopes, edges and grain, as PPM.
  void paint(const std::string& name, int width, int height) const {
    std::string bytes =
      "P6 " + std::to_string(width) + ' ' + std::to_string(height) + " 255\n";
    std::uint32_t grain = 12345;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        grain = grain * 1664525 + 1013904223;
        const double u = static_cast<double>(x) / width;
        const double v = static_cast<double>(y) / height;
        const bool inside = std::hypot(u - 0.7, v - 0.35) < 0.15;
        const double noise = static_cast<double>(grain >> 28);
        bytes += tone(120 + 80 * std::sin(9 * u + 3 * v) + noise);
        bytes += tone((inside ? 220 : 40 + 150 * v) + noise);
        bytes += tone(60 + 120 * u * v + (x / 40 % 2) * 25 + noise);
      }
    write(name, bytes);
  }

  /// 800 × 600, saved by libvips from `photo.ppm`.
  void photo(const std::string& as) const {
    paint("photo.ppm", 800, 600);
    shell("vips copy photo.ppm '" + as + "'");
  }

  [[nodiscard]] raw_pixels pixels_of(const std::string& name) const {
    shell("vips rawsave '" + name + "' out.raw");
    return {read("out.raw")};
  }

  [[nodiscard]] raw_pixels pixels_of(const image_made& made) const {
    const auto name = "made." + std::string{name_of(made.format)};
    write(name, made.bytes);
    return pixels_of(name);
  }

  static image_order order_of(const std::vector<std::string>& outputs) {
    image_order order;
    option_rules any;
    any.has_watermark = true;
    for (const auto& text : outputs)
      order.outputs.push_back(parse_options(text, any).value());
    return order;
  }

  [[nodiscard]] descriptor open(const std::string& name) const {
    descriptor file{::open(path(name).c_str(), O_RDONLY | O_CLOEXEC)};
    EXPECT_TRUE(file) << name;
    return file;
  }

  child_end run(child_task task) {
    std::promise<child_end> ended;
    child_->run(std::move(task), {{}, {}, [&ended](child_end end) {
                                    ended.set_value(std::move(end));
                                  }});
    return ended.get_future().get();
  }

  result<image_result> make(image_order order, const std::string& source,
                            const std::string& mark = {}) {
    const auto end = run(image_task(std::move(order), open(source),
                                    mark.empty() ? descriptor{} : open(mark)));
    if (end.code != errc::none)
      return fail(end.code, end.message);
    return read_image_result(end.result);
  }

  /// The one output of an order that succeeds.
  image_made make_one(const std::string& options, const std::string& source,
                      const std::string& mark = {}) {
    auto made = make(order_of({options}), source, mark);
    EXPECT_TRUE(made) << options << ": "
                      << (made ? "" : made.error().message());
    return made ? std::move(made->outputs.front()) : image_made{};
  }

  /// How an order ends that fails.
  errc refusal_of(image_order order, const std::string& source) {
    const auto made = make(std::move(order), source);
    return made ? errc::none : static_cast<errc>(made.error().code.value());
  }

  temporary_folder folder_;
  runtime threads_;
  codec_children children_{threads_, TROUPE_TEST_CODEC};
  std::unique_ptr<codec_child> child_ = children_.open(child_life::lasting);

private:
  static char tone(double value) {
    return static_cast<char>(
      static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0)));
  }
};

} // namespace troupe::media
