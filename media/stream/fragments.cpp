#include "media/stream/fragments.hpp"

#include "media/errc.hpp"

#include <optional>

namespace troupe::media {

namespace {

constexpr std::size_t head_size = 8;
/// Version and flags of a full box.
constexpr std::size_t full_size = 4;

failure no_box() {
  return fail(errc::internal, "a fragment is not as it was made");
}

std::uint32_t read_32(std::string_view from, std::size_t at) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < 4; ++i)
    out = out << 8 | static_cast<unsigned char>(from[at + i]);
  return out;
}

void write_32(char* to, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    *to++ = static_cast<char>(value >> shift);
}

/// A box: where it lies in the text that it was looked for in.
struct box {
  std::size_t at = 0;
  std::size_t size = 0; ///< with its head

  [[nodiscard]] std::size_t body() const {
    return at + head_size;
  }
  [[nodiscard]] std::size_t end() const {
    return at + size;
  }
};

/// The first of a type between two places. Sizes of 64 bits and "to the end"
/// are none of ours.
std::optional<box> find(std::string_view in, std::string_view type,
                        std::size_t from, std::size_t to) {
  while (from + head_size <= to) {
    const std::size_t size = read_32(in, from);
    if (size < head_size || size > to - from)
      return std::nullopt;
    if (in.substr(from + 4, 4) == type)
      return box{from, size};
    from += size;
  }
  return std::nullopt;
}

std::optional<box> find_in(std::string_view in, std::string_view type,
                           const box& within) {
  return find(in, type, within.body(), within.end());
}

std::string wrap(std::string_view type, std::string_view body) {
  std::string out(4, '\0');
  write_32(out.data(), static_cast<std::uint32_t>(head_size + body.size()));
  return out.append(type).append(body);
}

/// What of an init is joined.
struct init_parts {
  std::string head, movie, track, extends; ///< ftyp, mvhd, trak, trex
};

std::optional<init_parts> take_apart(std::string_view init) {
  const auto moov = find(init, "moov", 0, init.size());
  if (!moov)
    return std::nullopt;
  const auto mvhd = find_in(init, "mvhd", *moov);
  const auto trak = find_in(init, "trak", *moov);
  const auto mvex = find_in(init, "mvex", *moov);
  const auto trex = mvex ? find_in(init, "trex", *mvex) : std::nullopt;
  if (!mvhd || !trak || !trex)
    return std::nullopt;
  const auto text = [init](const box& of) {
    return std::string{init.substr(of.at, of.size)};
  };
  return init_parts{std::string{init.substr(0, moov->at)}, text(*mvhd),
                    text(*trak), text(*trex)};
}

/// 8.3.2: after two times of 32 or, in version 1, of 64 bits.
bool set_track(std::string& trak, std::uint32_t number) {
  const auto tkhd = find(trak, "tkhd", head_size, trak.size());
  if (!tkhd)
    return false;
  const std::size_t times = trak[tkhd->body()] == 1 ? 16 : 8;
  const auto at = tkhd->body() + full_size + times;
  if (at + 4 > tkhd->end())
    return false;
  write_32(trak.data() + at, number);
  return true;
}

/// A number right after version and flags, as of `trex`, `tfhd`, `mfhd`.
bool set_first(std::string& in, const box& of, std::uint32_t number) {
  const auto at = of.body() + full_size;
  if (at + 4 > of.end())
    return false;
  write_32(in.data() + at, number);
  return true;
}

} // namespace

result<std::string> join_inits(std::string_view first,
                               std::string_view second) {
  auto one = take_apart(first);
  auto two = take_apart(second);
  if (!one || !two)
    return no_box();
  const bool good = set_track(one->track, 1) && set_track(two->track, 2)
                    && set_first(one->extends, {0, one->extends.size()}, 1)
                    && set_first(two->extends, {0, two->extends.size()}, 2)
                    && one->movie.size() >= head_size + full_size + 4;
  if (!good)
    return no_box();
  // Its last member (8.2.2).
  write_32(one->movie.data() + one->movie.size() - 4, 3);
  return one->head
         + wrap("moov", one->movie + one->track + two->track
                          + wrap("mvex", one->extends + two->extends));
}

result<std::string> renumber_head(std::string_view fragment,
                                  std::uint32_t track, std::uint32_t number) {
  const auto moof = find(fragment, "moof", 0, fragment.size());
  const auto mfhd = moof ? find_in(fragment, "mfhd", *moof) : std::nullopt;
  const auto traf = moof ? find_in(fragment, "traf", *moof) : std::nullopt;
  const auto tfhd = traf ? find_in(fragment, "tfhd", *traf) : std::nullopt;
  if (!mfhd || !tfhd)
    return no_box();
  std::string head{fragment.substr(0, moof->end())};
  if (!set_first(head, *mfhd, number) || !set_first(head, *tfhd, track))
    return no_box();
  return head;
}

} // namespace troupe::media
