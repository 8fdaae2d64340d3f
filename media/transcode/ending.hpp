#pragma once

#include "media/child/child_step.hpp"
#include "media/download/step.hpp"
#include "media/probe/facts.hpp"
#include "media/transcode/job.hpp"
#include "media/transcode/pack_file.hpp"
#include "media/transcode/plan.hpp"

#include <boost/asio/awaitable.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace troupe::media {

/// The end of a conversion whose pieces are all made: one child joins them in
/// the staging folder, another looks whether it plays, a third tells its facts.
/// Invariant: each step has left what the next one reads.
class transcode_ending {
public:
  transcode_ending(const transcode_services& services, const attempt_task& task,
                   const transcode_params& params,
                   std::shared_ptr<const transcode_plan> plan,
                   std::shared_ptr<pack_file> pack,
                   std::shared_ptr<child_step> child);

  std::function<void(const char*)> on_stage;
  std::function<bool()> is_stopped;
  child_usage used;

  [[nodiscard]] boost::asio::awaitable<attempt_outcome> run();

private:
  [[nodiscard]] boost::asio::awaitable<step<std::string>>
  ask(child_task task, std::uint64_t writes = 0);
  [[nodiscard]] boost::asio::awaitable<step<void>> join();
  [[nodiscard]] result<std::vector<descriptor>> begin_files() const;
  [[nodiscard]] result<descriptor> open_file() const;
  [[nodiscard]] result<finished> stage(const media_facts& facts) const;

  const transcode_services& services_;
  const attempt_task& task_;
  const transcode_params& params_;
  const std::shared_ptr<const transcode_plan> plan_;
  const std::shared_ptr<pack_file> pack_;
  const std::shared_ptr<child_step> child_;
  const std::filesystem::path file_; ///< in the staging folder
};

} // namespace troupe::media
