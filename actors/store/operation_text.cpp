#include "actors/store/operation_text.hpp"

#include "actors/store/packing.hpp"

#include <cstring>
#include <type_traits>

namespace troupe::store {

namespace {

/// Numbers have eight bytes, texts their length before them.
class packer {
public:
  explicit packer(std::string& to) : to_(to) {}

  void operator()(const std::string& text) {
    (*this)(static_cast<std::uint64_t>(text.size()));
    to_ += text;
  }
  template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
  void operator()(const T& value) {
    const auto wide = static_cast<std::uint64_t>(value);
    to_.append(reinterpret_cast<const char*>(&wide), sizeof wide);
  }
  void operator()(const job_draft& draft) {
    job it;
    static_cast<job_draft&>(it) = draft;
    (*this)(pack_job(it));
  }
  void operator()(const media::progress& now) {
    (*this)(pack_progress(now));
  }
  void operator()(const std::vector<media::staged_file>& files) {
    (*this)(pack_manifest(files));
  }

  /// Two in the place of one.
  void flags(bool first, bool second) {
    (*this)(first | second << 1);
  }

private:
  std::string& to_;
};

/// Invariant: once something did not fit, `good` is false.
class unpacker {
public:
  explicit unpacker(std::string_view from) : from_(from) {}

  void operator()(std::string& text) {
    std::uint64_t size = 0;
    (*this)(size);
    good = good && size <= from_.size();
    if (!good)
      return;
    text.assign(from_.substr(0, size));
    from_.remove_prefix(size);
  }
  template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
  void operator()(T& value) {
    std::uint64_t wide = 0;
    good = good && sizeof wide <= from_.size();
    if (!good)
      return;
    std::memcpy(&wide, from_.data(), sizeof wide);
    from_.remove_prefix(sizeof wide);
    value = static_cast<T>(wide);
  }
  void operator()(job_draft& draft) {
    std::string packed;
    (*this)(packed);
    job it;
    good = good && unpack_job(packed, it);
    draft = std::move(it);
  }
  void operator()(media::progress& now) {
    std::string packed;
    (*this)(packed);
    good = good && unpack_progress(packed, now);
  }
  void operator()(std::vector<media::staged_file>& files) {
    std::string packed;
    (*this)(packed);
    good = good && unpack_manifest(packed, files);
  }

  void flags(bool& first, bool& second) {
    unsigned both = 0;
    (*this)(both);
    first = both & 1;
    second = both & 2;
  }

  [[nodiscard]] bool done() const {
    return good && from_.empty();
  }

  bool good = true;

private:
  std::string_view from_;
};

// Each list of fields stands once, for writing and for reading. The letter is
// what tells operations apart in the log: never used twice.

template <class Op>
struct text_layout {
  static constexpr char letter = 0;
};

template <>
struct text_layout<submit_op> {
  static constexpr char letter = 'J';
  static void fields(auto& f, auto& it) {
    f(it.draft), f(it.idempotency.scope), f(it.idempotency.body_hash);
    f(it.asked), f(it.strict), f(it.spooled);
  }
};

/// One with a delay that has begun.
struct delayed_submit : submit_op {};

template <>
struct text_layout<delayed_submit> {
  static constexpr char letter = 'D';
  static void fields(auto& f, auto& it) {
    text_layout<submit_op>::fields(f, it);
    f(it.since.boot), f(it.since.up_ms), f(it.since.wall);
  }
};

template <>
struct text_layout<checkpoint_op> {
  static constexpr char letter = 'K';
  static void fields(auto& f, auto& it) {
    f(it.id), f(it.fence.epoch), f(it.fence.nonce);
    f(it.progress), f(it.checkpoint);
  }
};

template <>
struct text_layout<commit_op> {
  static constexpr char letter = 'C';
  static void fields(auto& f, auto& it) {
    f(it.id), f(it.fence.epoch), f(it.fence.nonce);
    f(it.result), f(it.manifest);
  }
};

template <>
struct text_layout<succeed_op> {
  static constexpr char letter = 'S';
  static void fields(auto& f, auto& it) {
    f(it.id), f(it.fence.epoch), f(it.fence.nonce), f(it.result);
  }
};

template <>
struct text_layout<fail_op> {
  static constexpr char letter = 'F';
  static void fields(auto& f, auto& it) {
    f(it.id), f(it.fence.epoch), f(it.fence.nonce), f(it.code), f(it.message);
    f(it.retryable), f(it.retry_after_ms), f(it.checkpoint);
    f.flags(it.crash, it.result_lost);
  }
};

template <>
struct text_layout<release_op> {
  static constexpr char letter = 'R';
  static void fields(auto& f, auto& it) {
    f(it.id), f(it.fence.epoch), f(it.fence.nonce), f(it.reason);
    f(it.delay_ms);
  }
};

template <>
struct text_layout<log_op> {
  static constexpr char letter = 'L';
  static void fields(auto& f, auto& it) {
    f(it.id), f(it.text);
  }
};

template <>
struct text_layout<withdraw_op> {
  static constexpr char letter = 'W';
  static void fields(auto& f, auto& it) {
    f(it.id), f(it.scope);
  }
};

template <class Op>
bool read_as(std::string_view bytes, std::optional<operation>& out) {
  if constexpr (text_layout<Op>::letter != 0) {
    if (bytes.empty() || bytes[0] != text_layout<Op>::letter)
      return false;
    Op op;
    unpacker in{bytes.substr(1)};
    text_layout<Op>::fields(in, op);
    if (!in.done())
      return true;
    if constexpr (std::is_same_v<Op, delayed_submit>)
      out = static_cast<submit_op&&>(op);
    else
      out = std::move(op);
    return true;
  }
  return false;
}

template <class... Ops>
std::optional<operation> read_any(std::string_view bytes,
                                  const std::variant<Ops...>*) {
  std::optional<operation> out;
  static_cast<void>(read_as<delayed_submit>(bytes, out)
                    || (read_as<Ops>(bytes, out) || ...));
  return out;
}

template <class As, class Op>
std::string write_as(const Op& it) {
  std::string bytes(1, text_layout<As>::letter);
  packer out{bytes};
  text_layout<As>::fields(out, it);
  return bytes;
}

} // namespace

std::optional<std::string> pack_operation(const operation& op) {
  return std::visit(
    []<class Op>(const Op& it) -> std::optional<std::string> {
      if constexpr (text_layout<Op>::letter == 0) {
        return std::nullopt;
      } else {
        if constexpr (std::is_same_v<Op, submit_op>)
          if (it.draft.delay_ms > 0)
            return write_as<delayed_submit>(it);
        return write_as<Op>(it);
      }
    },
    op);
}

std::optional<operation> unpack_operation(std::string_view bytes) {
  return read_any(bytes, static_cast<const operation*>(nullptr));
}

} // namespace troupe::store
