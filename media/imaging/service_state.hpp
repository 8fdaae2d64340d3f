#pragma once

#include "media/cache/cache_writer.hpp"
#include "media/cache/disk_cache.hpp"
#include "media/cache/memory_cache.hpp"
#include "media/imaging/negative_book.hpp"
#include "media/imaging/remote_images.hpp"
#include "media/imaging/service.hpp"
#include "media/imaging/variant_book.hpp"
#include "media/probe/bad_sources.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <mutex>

namespace troupe::media {

/// The one image service; for `service.cpp` and `service_remote.cpp` alone.
/// Members stand in the order of their dependence: threads end first.
class cached_image_service final : public image_service {
public:
  explicit cached_image_service(image_parts parts);
  ~cached_image_service() override;

  void open_disk();

  const option_rules& rules() const override {
    return rules_;
  }
  void find(image_query query, image_heard heard) override;
  cached_ptr recall(const image_work& work) override;
  result<cached_ptr> keep(const image_work& work, image_made made,
                          const image_facts& source) override;
  void deny(const image_work& work, const failure& why) override;
  bool crashed(const image_work& work) override;
  child_task compose(const std::vector<work_ptr>& works,
                     std::chrono::milliseconds limit) const override;
  child_task compose_video(const image_input& input,
                           std::vector<video_wish> wishes,
                           std::chrono::milliseconds limit) const override;
  std::unique_ptr<codec_child> open_child(bool batch, bool sets_text) override;
  void purge(purge_order order,
             std::function<void(result<std::uint64_t>)> heard) override;
  image_figures figures() const override;

private:
  using input_ptr = std::shared_ptr<const image_input>;

  result<image_found> look_up(const image_query& query, input_ptr input);
  cached_ptr look_for(const image_query& query, const image_options& options,
                      const std::string& identity);
  cached_ptr look_into(const cache_key& key,
                       const std::vector<std::uint64_t>& tags);
  cached_ptr tagged(const cache_key& key, cached_ptr what,
                    const std::vector<std::uint64_t>& tags,
                    std::uint64_t generation);
  std::string mark_identity() const;
  void count_hit(const cached_bytes& image);
  image_options chosen(const image_query& query, const image_look& look) const;
  cache_key key_for(const image_options& options, const std::string& identity,
                    bool hurry) const;
  std::shared_ptr<const image_feed> feed_for(const image_work& work);
  bool sets_text(const image_work& work) const;
  bool hold(const cache_key& key, cached_ptr what, std::uint64_t generation);
  bool store(const cache_key& key, cached_ptr what, std::uint64_t generation);

  // remote sources
  void find_remote(image_query query, image_heard heard);
  void fetch_for(image_query query, bool anew, image_heard heard);
  void take_fetched(const image_query& query, bool anew,
                    std::uint64_t generation, const result<remote_fetched>& got,
                    image_heard heard);
  void look_again(const std::string& url);
  result<input_ptr> input_of(const std::string& url,
                             const remote_record& record,
                             std::string_view bytes) const;
  void keep_fetched(const std::string& url, const remote_fetched& got,
                    std::uint64_t generation);
  void remember(const std::string& url, const remote_record& record,
                std::uint64_t generation);
  void recollect(const std::string& url);
  bool answer_known(const image_query& query, const remote_record& record,
                    bool stale, const image_heard& heard);

  const image_parts parts_;
  const option_rules rules_;
  /// Held while something is kept or purged: what a purge should have met is
  /// not kept after it.
  std::mutex keeping_;
  memory_cache memory_;
  std::unique_ptr<disk_cache> disk_; ///< null: none
  negative_book denied_;
  bad_sources bad_;
  variant_book variants_;
  std::atomic<std::uint64_t> generation_ = 0;
  std::atomic<std::uint64_t> hits_ = 0, disk_hits_ = 0, misses_ = 0, stale_ = 0,
                             told_again_ = 0, derived_ = 0;
  std::atomic<std::uint64_t> saved_us_ = 0;
  remote_images remote_;
  std::unique_ptr<cache_writer> writer_; ///< null: no disk
  boost::asio::thread_pool threads_;
  range_fetcher fetcher_;
};

} // namespace troupe::media
