#pragma once

#include "media/cache/cached.hpp"
#include "media/descriptor.hpp"
#include "media/image/task.hpp"
#include "media/imaging/sniff.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::media {

/// What an image's header says of its sizes; zero: nothing.
struct image_extent {
  std::uint32_t width = 0; ///< as stored, of one frame
  std::uint32_t height = 0;
  bool progressive = false; ///< a JPEG that must be decoded whole

  [[nodiscard]] std::uint64_t pixels() const {
    return std::uint64_t{width} * height;
  }
};

/// A source, opened; shared by all that is made of it.
struct image_input {
  descriptor file;
  std::string name;     ///< what it is purged by
  std::string identity; ///< another for every version of its bytes
  std::uint64_t size = 0;
  image_look look;
  bool steady = false; ///< nobody can change what `file` holds
};

/// An image that was made of a source, and is read in its place.
struct image_feed {
  descriptor file;
  image_facts source;
  cache_key key; ///< that it is kept under
};

/// One image to be made.
struct image_work {
  cache_key key; ///< of what will come of it
  std::shared_ptr<const image_input> input;
  image_extent extent;   ///< of its source
  image_options options; ///< the format chosen
  bool hurry = true;     ///< somebody waits
  /// Of the cache when it was looked into: a purge since then forbids keeping.
  std::uint64_t generation = 0;
  std::vector<std::uint64_t> tags;
  bool sets_text = false;                 ///< its child has to see fonts
  std::shared_ptr<const image_feed> feed; ///< null: `input` is read
};
using work_ptr = std::shared_ptr<const image_work>;

} // namespace troupe::media
