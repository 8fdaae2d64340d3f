#pragma once

#include "media/descriptor.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace troupe::media {

/// Lines of the memory that a server shares with its zygotes.
inline constexpr std::size_t birth_lines = 1024;

/// The memory itself: the kernel writes a child's number into its line within
/// `clone` (CLONE_PARENT_SETTID), before the child runs. So a child is known
/// even if its zygote dies at the next instruction. 0: nobody was born.
using birth_page = std::array<std::int32_t, birth_lines>;

/// The server's side of it. Used on the io thread alone. Invariant: a line is
/// free, or belongs to one that asked for a child and does not know yet what
/// became of it.
class birth_book {
public:
  birth_book();
  ~birth_book();
  birth_book(const birth_book&) = delete;
  birth_book& operator=(const birth_book&) = delete;

  /// A line that says nobody; none if all are taken, or there is no memory.
  [[nodiscard]] std::optional<std::uint32_t> take();
  void give_back(std::uint32_t line);
  [[nodiscard]] pid_t read(std::uint32_t line) const;

  /// For zygotes, which map it.
  [[nodiscard]] int file() const noexcept {
    return file_.get();
  }

private:
  descriptor file_;
  birth_page* page_ = nullptr; ///< mapped
  std::vector<std::uint32_t> free_;
};

/// Maps the page of a zygote; what it bears does not see it. Null with errno.
[[nodiscard]] birth_page* map_birth_page(int file);

} // namespace troupe::media
