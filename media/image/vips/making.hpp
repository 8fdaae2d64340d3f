#pragma once

#include "media/image/derivation.hpp"
#include "media/image/vips/shape.hpp"
#include "media/image/vips/source.hpp"

#include <chrono>
#include <vector>

namespace troupe::codec {

/// Makes all outputs of one order. Outputs of one decode are made together,
/// frame after frame, the larger before the smaller. Invariant: `jobs_` are in
/// the order of the outputs; a job that failed has its code set and is passed
/// over.
class image_making {
public:
  /// @pre both outlive this
  image_making(const image_source& source, const media::image_order& order,
               const vips::VImage* mark);

  /// One for each output, with its own code.
  [[nodiscard]] std::vector<media::image_made> run();

private:
  struct job {
    media::image_options options;
    media::image_format format{};
    std::uint32_t frames = 1;
    media::image_geometry geometry;
    media::derivation derived;
    media::image_made made;
    shape_memory memory;
    vips::VImage scaled; ///< of the frame under way
    std::vector<vips::VImage> done;

    [[nodiscard]] bool failed() const noexcept {
      return made.code != media::errc::none;
    }
  };
  using group = std::vector<job*>;

  [[nodiscard]] const media::image_facts& told() const noexcept {
    return order_.made_of ? *order_.made_of : source_.facts();
  }
  [[nodiscard]] double
  shrink_for(const std::vector<media::image_geometry>& geometries,
             std::uint32_t frames) const;
  [[nodiscard]] job plan(const media::image_options& options) const;
  [[nodiscard]] result<void> check(const job& of) const;
  void copy_source(job& to) const;
  [[nodiscard]] std::vector<group> groups();
  void make(group& jobs);
  void make_trimmed(job& one);
  void make_frames(group& jobs, const vips::VImage& roll);
  void make_frame(const group& jobs, const vips::VImage& frame);
  void finish_frame(job& one, bool eager);
  void encode(job& one, const vips::VImage& roll);
  static void fail_all(const group& jobs, const std::string& why);

  const image_source& source_;
  const media::image_order& order_;
  const vips::VImage* mark_;
  std::vector<job> jobs_;
  std::uint64_t room_; ///< bytes that results may still take
};

} // namespace troupe::codec
