#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Blobs of fields, written and read by one function over either class. Each
/// starts with a version byte; numbers are LEB128, texts carry their length.
namespace troupe::store {

/// 1: the first. 2: dependencies, pausing and crashes of jobs. 3: request ids
/// and trace contexts. 4: the library of staged files. 5: deadlines.
/// 6: notes, attempts that are not counted.
inline constexpr char archive_version = 6;

/// Appends fields; the reader below takes them in the same order.
class archive_writer {
public:
  archive_writer() {
    bytes_.reserve(256);
    bytes_ += archive_version;
  }

  /// Whether the blob has the fields of a version.
  static constexpr bool since(char) noexcept {
    return true;
  }

  void operator()(const std::string& text) {
    number(text.size());
    bytes_ += text;
  }

  void operator()(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (int shift = 0; shift < 64; shift += 8)
      bytes_ += static_cast<char>(bits >> shift);
  }

  template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
  void operator()(T value) {
    // Zigzag: small negative numbers stay short.
    const auto wide = static_cast<std::int64_t>(value);
    number(static_cast<std::uint64_t>(wide) << 1
           ^ static_cast<std::uint64_t>(wide >> 63));
  }

  template <class T, class Fields>
  void list(const std::vector<T>& items, Fields fields) {
    number(items.size());
    for (const auto& item : items)
      fields(*this, item);
  }

  [[nodiscard]] std::string take() && {
    return std::move(bytes_);
  }

private:
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

/// Invariant: once a field did not fit, `good_` is false and all that follow
/// are left as they are.
class archive_reader {
public:
  explicit archive_reader(std::string_view bytes) : rest_{bytes} {
    good_ =
      !rest_.empty() && rest_.front() >= 1 && rest_.front() <= archive_version;
    if (!good_)
      return;
    version_ = rest_.front();
    rest_.remove_prefix(1);
  }

  [[nodiscard]] bool since(char version) const noexcept {
    return version_ >= version;
  }

  void operator()(std::string& text) {
    const auto size = number();
    if (size > rest_.size())
      good_ = false;
    if (!good_)
      return;
    text.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }

  void operator()(double& value) {
    if (rest_.size() < 8)
      good_ = false;
    if (!good_)
      return;
    std::uint64_t bits = 0;
    for (int i = 8; i-- > 0;)
      bits = bits << 8 | static_cast<unsigned char>(rest_[i]);
    value = std::bit_cast<double>(bits);
    rest_.remove_prefix(8);
  }

  template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
  void operator()(T& value) {
    const auto bits = number();
    if (good_)
      value = static_cast<T>(static_cast<std::int64_t>(bits >> 1)
                             ^ -static_cast<std::int64_t>(bits & 1));
  }

  template <class T, class Fields>
  void list(std::vector<T>& items, Fields fields) {
    const auto size = number();
    // Every item takes a byte at least: no count makes us reserve too much.
    if (size > rest_.size())
      good_ = false;
    if (!good_)
      return;
    items.assign(size, {});
    for (auto& item : items)
      fields(*this, item);
  }

  [[nodiscard]] bool done() const noexcept {
    return good_ && rest_.empty();
  }

private:
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80)
        return value;
    }
    good_ = false;
    return 0;
  }

  std::string_view rest_;
  char version_ = 0;
  bool good_ = false;
};

} // namespace troupe::store
