#pragma once

#include "config/result.hpp"
#include "media/image/video.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// What is made of every source.
struct batch_operation {
  std::string name;
  image_options options;
  std::optional<video_wish> video; ///< of videos alone; its options are none

  /// How many of one source, at most.
  [[nodiscard]] std::size_t images() const;
};

/// What a job `image_batch` is asked for.
struct batch_params {
  std::vector<std::string> sources; ///< or
  std::string folder;               ///< `local:///…`, listed
  std::string pattern = "*";        ///< of names in it (fnmatch)
  std::vector<batch_operation> operations;
  std::string output = "{stem}-{operation}";
  bool fail_fast = false;

  /// The number of an operation's first image among those of a source.
  [[nodiscard]] std::size_t first_image(std::size_t operation) const;
  /// Of one source, at most.
  [[nodiscard]] std::size_t images() const {
    return first_image(operations.size());
  }
};

/// Reads the job's params; `bad_params` with the member that is wrong.
[[nodiscard]] result<batch_params> read_batch(std::string_view json,
                                              const option_rules& rules);

/// A member that is wrong, by its pointer (RFC 6901).
struct batch_fault {
  std::string pointer;
  std::string detail;
};

/// What the schema cannot know: options, sources told twice, and operations of
/// one name, letters of both cases being alike.
/// @param json valid by the schema
[[nodiscard]] std::vector<batch_fault> batch_faults(std::string_view json,
                                                    const option_rules& rules);

/// Names for all images, in the order of sources, then operations, then
/// numbers where an operation makes several: by the template, without ending.
/// None is there twice, in whatever letters; each part between slashes is a
/// safe file name.
[[nodiscard]] std::vector<std::string>
output_names(const batch_params& params,
             const std::vector<std::string>& sources);

/// JSON Schemas of the job type `image_batch`.
extern const std::string_view image_batch_params_schema;
extern const std::string_view image_batch_result_schema;

} // namespace troupe::media
