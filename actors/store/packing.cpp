#include "actors/store/packing.hpp"

#include <bit>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace troupe::store {

namespace {

constexpr char version = 1;

/// Appends fields; the reader below takes them in the same order.
class writer {
public:
  writer() {
    bytes_.reserve(256);
    bytes_ += version;
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
class reader {
public:
  explicit reader(std::string_view bytes) : rest_{bytes} {
    good_ = !rest_.empty() && rest_.front() == version;
    if (good_)
      rest_.remove_prefix(1);
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
  bool good_ = false;
};

// Each list of fields stands once, for writing and for reading.

template <class Archive, class Job>
void draft_fields(Archive& f, Job& it) {
  f(it.id), f(it.type), f(it.queue), f(it.priority), f(it.params);
  f.list(it.tags, [](auto& g, auto& tag) { g(tag); });
  f(it.owner), f(it.batch), f(it.parent), f(it.delay_ms), f(it.timeout_s);
  f(it.max_attempts), f(it.backoff.initial_s), f(it.backoff.factor);
  f(it.backoff.max_s), f(it.backoff.jitter), f(it.unique_key);
  f(it.concurrency_key), f(it.callback_url), f(it.created_at), f(it.reached);
}

template <class Archive, class Progress>
void progress_fields(Archive& f, Progress& now) {
  f(now.fraction), f(now.stage), f(now.done), f(now.total), f(now.unit);
  f(now.rate), f(now.eta_s), f(now.message);
}

template <class Archive, class Files>
void manifest_fields(Archive& f, Files& files) {
  f.list(files, [](auto& g, auto& file) {
    g(file.staged), g(file.final_path), g(file.size), g(file.sha256);
    g(file.replace);
  });
}

template <class Archive, class Job>
void live_fields(Archive& f, Job& it) {
  f(it.attempt), f(it.revision), f(it.fence.epoch), f(it.fence.nonce);
  f(it.losses), f(it.publishing), f(it.started_at), f(it.result);
  f(it.checkpoint);
  progress_fields(f, it.progress);
  f.list(it.errors, [](auto& g, auto& error) {
    g(error.code), g(error.message), g(error.retryable), g(error.attempt);
  });
  manifest_fields(f, it.manifest);
}

template <class Archive, class Job>
void searched_fields(Archive& f, Job& it) {
  f(it.state), f(it.run_at), f(it.lease_until), f(it.finished_at), f(it.node);
}

} // namespace

std::string pack_draft(const job& it) {
  writer out;
  draft_fields(out, it);
  return std::move(out).take();
}

bool unpack_draft(std::string_view blob, job& it) {
  reader in{blob};
  draft_fields(in, it);
  return in.done() && it.reached <= durability::local;
}

std::string pack_live(const job& it) {
  writer out;
  live_fields(out, it);
  return std::move(out).take();
}

bool unpack_live(std::string_view blob, job& it) {
  reader in{blob};
  live_fields(in, it);
  return in.done();
}

std::string pack_progress(const media::progress& now) {
  writer out;
  progress_fields(out, now);
  return std::move(out).take();
}

bool unpack_progress(std::string_view blob, media::progress& now) {
  reader in{blob};
  progress_fields(in, now);
  return in.done();
}

std::string pack_manifest(const std::vector<media::staged_file>& files) {
  writer out;
  manifest_fields(out, files);
  return std::move(out).take();
}

bool unpack_manifest(std::string_view blob,
                     std::vector<media::staged_file>& files) {
  reader in{blob};
  manifest_fields(in, files);
  return in.done();
}

std::string pack_job(const job& it) {
  writer out;
  draft_fields(out, it);
  live_fields(out, it);
  searched_fields(out, it);
  return std::move(out).take();
}

bool unpack_job(std::string_view blob, job& it) {
  reader in{blob};
  draft_fields(in, it);
  live_fields(in, it);
  searched_fields(in, it);
  return in.done() && it.reached <= durability::local
         && it.state <= job_state::cancelled;
}

} // namespace troupe::store
