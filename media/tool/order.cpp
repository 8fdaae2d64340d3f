#include "media/tool/order.hpp"

#include <charconv>

namespace troupe::media {

namespace {

constexpr std::string_view magic = "troupe-guard-2";

/// Zero-terminated strings, one after the other; lists begin with a count.
class writer {
public:
  void add(std::string_view text) {
    bytes_.append(text);
    bytes_ += '\0';
  }
  void add(long number) {
    add(std::string_view{std::to_string(number)});
  }
  template <class List>
  void add_all(const List& list) {
    add(static_cast<long>(list.size()));
    for (const auto& item : list)
      add(std::string_view{std::string{item}});
  }
  [[nodiscard]] std::string take() {
    return std::move(bytes_);
  }

private:
  std::string bytes_;
};

/// Reads what `writer` wrote. Once `good()` is false all that follows is empty.
class reader {
public:
  explicit reader(std::string_view bytes) : rest_(bytes) {}

  std::string text() {
    const auto end = rest_.find('\0');
    good_ = good_ && end != std::string_view::npos;
    if (!good_)
      return {};
    std::string taken{rest_.substr(0, end)};
    rest_.remove_prefix(end + 1);
    return taken;
  }
  long number() {
    const auto digits = text();
    long value = 0;
    const auto* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, value);
    good_ = good_ && read.ec == std::errc{} && read.ptr == end;
    return good_ ? value : 0;
  }
  template <class List>
  void list(List& into) {
    for (auto left = number(); good_ && left > 0; --left)
      into.emplace_back(text());
  }
  [[nodiscard]] bool good() const {
    return good_;
  }

private:
  std::string_view rest_;
  bool good_ = true;
};

} // namespace

std::string encode(const guard_order& order) {
  writer out;
  out.add(magic);
  out.add_all(order.argv);
  out.add_all(order.environment);
  out.add(std::string_view{order.folder.native()});
  out.add(std::string_view{order.lock_file.native()});
  out.add_all(order.readable);
  out.add(long{order.nice});
  out.add(long{order.connect_port});
  out.add(static_cast<long>(order.limits.memory));
  out.add(static_cast<long>(order.limits.file_size));
  out.add(long{order.limits.files});
  out.add(std::string_view{order.marker});
  return out.take();
}

std::optional<guard_order> decode_order(std::string_view bytes) {
  reader in{bytes};
  if (in.text() != magic)
    return std::nullopt;
  guard_order order;
  in.list(order.argv);
  in.list(order.environment);
  order.folder = in.text();
  order.lock_file = in.text();
  in.list(order.readable);
  order.nice = static_cast<int>(in.number());
  order.connect_port = static_cast<std::uint16_t>(in.number());
  order.limits.memory = static_cast<std::uint64_t>(in.number());
  order.limits.file_size = static_cast<std::uint64_t>(in.number());
  order.limits.files = static_cast<std::uint32_t>(in.number());
  order.marker = in.text();
  if (!in.good() || order.argv.empty())
    return std::nullopt;
  return order;
}

} // namespace troupe::media
