#pragma once

#include "media/child/child_source.hpp"
#include "media/egress/proxy.hpp"
#include "media/errc.hpp"
#include "media/fetch/range_fetcher.hpp"
#include "media/runtime.hpp"

#include <deque>
#include <memory>
#include <string>

namespace troupe::media {

/// Why a remote source is not read on.
struct source_trouble {
  errc code = errc::none;
  std::string message;
  double retry_after_s = 0;
};

/// An http(s) resource for a codec child, fetched block by block as it is read,
/// through an egress account of its own. On the io thread alone, but for
/// construction. Shared with what it has asked for.
/// Invariants: `blocks_` holds parts of one version of the resource, `whole_`
/// its start if the server knows no ranges; once there is `trouble_`, every
/// read ends with it.
class remote_source final : public child_source,
                            public std::enable_shared_from_this<remote_source> {
public:
  static constexpr std::size_t block_size = 256u << 10;
  /// Of all that is fetched, unless told else: what tells a file's facts is
  /// less.
  static constexpr std::uint64_t most_bytes = 64u << 20;

  remote_source(runtime& threads, range_fetcher& fetcher, egress_proxy& proxy,
                std::string url, std::uint64_t most = most_bytes);

  [[nodiscard]] std::int64_t size() const override {
    return total_;
  }
  void read(std::uint64_t offset, std::size_t size, heard done) override;

  /// What tells its versions apart, once some of it was read; may be empty.
  [[nodiscard]] const std::string& validator() const noexcept {
    return validator_;
  }

  /// Cuts what is under way; nothing can be read any more.
  void close();

  [[nodiscard]] const source_trouble& trouble() const noexcept {
    return trouble_;
  }

private:
  struct block {
    std::uint64_t offset = 0;
    std::string bytes; ///< shorter than a block: the resource ends there
  };

  void ask(std::uint64_t at, std::function<void()> then);
  void take(std::uint64_t at, range_answer answer);
  void take_part(std::uint64_t at, range_answer& answer);
  void take_whole(range_answer& answer);
  void refuse(const range_answer& answer);
  void fail_with(errc code, std::string message, double retry_after_s = 0);
  [[nodiscard]] const block* find(std::uint64_t offset) const;

  runtime& threads_;
  range_fetcher& fetcher_;
  const std::string url_;
  std::unique_ptr<egress_account> account_; ///< until it is closed
  std::deque<block> blocks_;                ///< the newest first
  bool has_whole_ = false;
  std::string whole_;
  std::int64_t total_ = -1;
  std::string validator_;
  source_trouble trouble_;
};

} // namespace troupe::media
