#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::media {

/// Which of the things kept is lost with the least harm: GreedyDual-Size-
/// Frequency (Cherkasova, HPL-98-69R1). The value of one is `age + uses × cost
/// / size`; `age` is the value of the last that was picked, so that what
/// nobody uses any more falls behind. Things are known by small numbers.
/// Invariant: `heap_` holds, of each thing that is in, one entry of its
/// generation, with a value that is not above its own.
class eviction_order {
public:
  using slot = std::uint32_t;

  /// @param cost of making it again, any unit; @param size > 0
  void add(slot at, double cost, std::uint64_t size);
  void use(slot at);
  void remove(slot at);
  /// The one of the least value, which stays in; none if there is none.
  [[nodiscard]] std::optional<slot> pick();

  [[nodiscard]] std::size_t size() const noexcept {
    return alive_;
  }

private:
  struct item {
    double value = 0;
    float worth = 0; ///< cost / size
    std::uint32_t uses = 0;
    std::uint32_t generation = 0;
    bool in = false;
  };
  struct entry {
    double value;
    slot at;
    std::uint32_t generation;
  };

  static bool later(const entry& a, const entry& b) {
    return a.value > b.value;
  }
  void push(slot at);
  void pop();
  void tidy();

  std::vector<item> items_;
  std::vector<entry> heap_;
  std::size_t alive_ = 0;
  double age_ = 0;
};

} // namespace troupe::media
