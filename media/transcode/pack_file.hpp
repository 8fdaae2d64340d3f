#pragma once

#include "config/result.hpp"
#include "media/av/pack.hpp"
#include "media/descriptor.hpp"
#include "media/tool/work_lock.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// The pack of one job in its work folder, which one attempt has at a time.
/// Thread-safe; `open`, `add`, `shrink` and `reader` block.
class pack_file {
public:
  /// Goes on with what an earlier attempt left of the same plan, or begins
  /// anew. `interrupted` while another attempt has it still.
  [[nodiscard]] static result<std::shared_ptr<pack_file>>
  open(const std::filesystem::path& folder, std::string_view identity);

  [[nodiscard]] bool has(pack_part part, std::uint8_t track,
                         std::uint32_t number) const;
  /// Of a track, as it was when this was opened; empty: it was not there.
  [[nodiscard]] std::string init(std::uint8_t track) const;

  /// Adds a part; one that is there stays. Not synced: what the machine loses
  /// by its end is known by its hash, and made again.
  [[nodiscard]] result<void> add(pack_part part, std::uint8_t track,
                                 std::uint32_t number, std::string_view bytes);

  /// Gives back so many bytes of the disk or more, those written last; nothing
  /// is added any more.
  void shrink(std::uint64_t bytes);

  [[nodiscard]] std::uint64_t size() const;
  /// For who reads it.
  [[nodiscard]] descriptor reader() const;

private:
  pack_file() = default;
  [[nodiscard]] const pack_entry* find(pack_part part, std::uint8_t track,
                                       std::uint32_t number) const;
  [[nodiscard]] result<void> append(pack_entry entry, std::string_view bytes);

  work_lock lock_;
  std::filesystem::path path_;
  descriptor file_;
  mutable std::mutex mutex_;
  std::vector<pack_entry> entries_;
  std::map<std::uint8_t, std::string> inits_;
  std::uint64_t end_ = 0;
  bool full_ = false; ///< it was shrunk
};

} // namespace troupe::media
