#pragma once

#include "config/result.hpp"
#include "media/image_batch/file_gate.hpp"
#include "media/image_batch/job.hpp"
#include "media/image_batch/params.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::media {

/// What became of one source.
struct batch_item {
  std::vector<std::string> files; ///< beneath the job's folder
  std::string error;              ///< why some are missing; empty: none is
};
/// Hears of an item, on the io thread; a failure if files cannot be written.
using item_heard = std::function<void(result<batch_item>)>;

/// Makes all files of one source after the other, by children of its own.
/// Everything but what is said to run elsewhere is on the io thread. Invariant:
/// `heard_` is set exactly while a source is worked on; what comes when it is
/// not, comes too late.
class batch_seat : public std::enable_shared_from_this<batch_seat> {
public:
  using ask_result = std::function<void(const std::string& job, result_heard)>;

  /// @param folder where files go
  /// @param result_of tells what jobs have come to that are sources; may be
  /// null
  batch_seat(const image_batch_services& services,
             std::shared_ptr<const batch_params> params,
             std::filesystem::path folder, std::shared_ptr<file_gate> gate,
             ask_result result_of);

  /// @param names of all its images, without ending, as `output_names` has them
  /// @pre no other source is worked on
  void make(std::string source, std::vector<std::string> names,
            item_heard heard);

  /// Ends its children; nothing is heard any more.
  void quit();

private:
  struct file {
    std::filesystem::path path;
    std::shared_ptr<const std::string> bytes;
  };

  template <class Call>
  void on_io(Call call);
  void ask_job(const std::string& id);
  void look(std::size_t operation);
  void found(std::size_t operation, const result<image_found>& what);
  void run();
  void run_video();
  void start(std::unique_ptr<codec_child>& child, bool sets_text,
             child_task task);
  void ended(child_end& end);
  void take_images(const std::string& bytes);
  void take_video(const std::string& bytes);
  void take_shown(std::size_t operation, video_made& made, double duration_s);
  void add(std::size_t image, image_format format,
           std::shared_ptr<const std::string> bytes);
  void write();

  const image_batch_services& services_;
  const std::shared_ptr<const batch_params> params_;
  const std::filesystem::path folder_;
  const std::shared_ptr<file_gate> gate_;
  const ask_result result_of_;
  std::unique_ptr<codec_child> child_;
  std::unique_ptr<codec_child> text_child_; ///< for works that set text
  item_heard heard_;
  std::string source_;
  std::string job_result_; ///< of a source `job:ID`
  std::vector<std::string> names_;
  std::shared_ptr<const image_input> input_;
  std::vector<work_ptr> works_;
  std::vector<std::size_t> of_; ///< their operations
  std::vector<file> files_;
  std::string error_;
  bool is_video_ = false;
  bool again_ = false; ///< a child died of it once
};

} // namespace troupe::media
