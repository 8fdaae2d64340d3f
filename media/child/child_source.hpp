#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace troupe::media {

/// What a child reads by asking its owner, who has a network and files where
/// the child has none. Used on the io thread alone.
class child_source {
public:
  /// Heard once, on the io thread, perhaps before `read` returns.
  using heard = std::function<void(result<std::string>)>;

  virtual ~child_source() = default;

  /// Bytes in all; negative: not known (yet).
  [[nodiscard]] virtual std::int64_t size() const = 0;

  /// Reads at least one and at most `size` bytes from `offset` on; none mean
  /// that there are no more. It keeps a deadline of its own.
  virtual void read(std::uint64_t offset, std::size_t size, heard done) = 0;
};

} // namespace troupe::media
