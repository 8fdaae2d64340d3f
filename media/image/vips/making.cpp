#include "media/image/vips/making.hpp"

#include "media/image/vips/store.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::codec {

namespace {

using namespace media;
using vips::VImage;
using clock = std::chrono::steady_clock;

double milliseconds_since(clock::time_point start) {
  return std::chrono::duration<double, std::milli>(clock::now() - start)
    .count();
}

image_format format_for(const image_options& options,
                        const image_facts& facts) {
  if (options.format != image_format::none)
    return options.format;
  if (can_save(facts.format))
    return facts.format;
  return facts.alpha ? image_format::png : image_format::jpeg;
}

pixel_size size_of(const image_facts& facts) {
  return {static_cast<int>(facts.width), static_cast<int>(facts.height)};
}

bool exceeds(std::uint64_t limit, std::uint64_t value) {
  return limit > 0 && value > limit;
}

/// The frame of that number in a roll.
VImage frame_of(const VImage& roll, std::uint32_t number,
                std::uint32_t frames) {
  const int height = roll.height() / static_cast<int>(frames);
  return frames == 1 ? roll
                     : roll.extract_area(0, static_cast<int>(number) * height,
                                         roll.width(), height);
}

void fail_with(image_made& made, errc code, std::string why) {
  made.code = code;
  made.message = std::move(why);
  made.bytes.clear();
}

} // namespace

image_making::image_making(const image_source& source, const image_order& order,
                           const VImage* mark)
  : source_(source), order_(order), mark_(mark),
    room_(order.limits.result_bytes) {}

image_making::job image_making::plan(const image_options& options) const {
  const auto& facts = told();
  job made;
  made.options = options;
  // It has no pixels that would be blown up.
  made.options.enlarge |= facts.format == image_format::svg;
  made.format = format_for(options, facts);
  if (keeps_frames(made.format))
    made.frames = options.max_frames > 0
                    ? std::min(facts.frames, options.max_frames)
                    : facts.frames;
  made.geometry = geometry_of(size_of(facts), facts.orientation, made.options);
  if (auto fine = check(made); !fine)
    fail_with(made.made, static_cast<errc>(fine.error().code.value()),
              fine.error().detail);
  else if (order_.made_of)
    made.geometry = geometry_within(size_of(source_.facts()), made.geometry);
  return made;
}

/// A drawing is drawn as large as its largest result, as far as it may be.
double image_making::shrink_for(const std::vector<image_geometry>& geometries,
                                std::uint32_t frames) const {
  const auto& facts = source_.facts();
  if (facts.format != image_format::svg)
    return frames > 1 ? 1 : load_shrink(geometries);
  double times = 0;
  for (const auto& each : geometries)
    times = std::max({times, each.scale_x, each.scale_y});
  const auto most = static_cast<double>(order_.limits.pixels)
                    / (static_cast<double>(facts.width) * facts.height);
  return 1 / std::min(times, std::sqrt(most));
}

result<void> image_making::check(const job& of) const {
  const auto& o = of.options;
  const auto& facts = told();
  const auto pixels = std::uint64_t{facts.width} * facts.height;
  if (exceeds(o.max_source_pixels, pixels)
      || exceeds(o.max_source_bytes, source_.bytes().size())
      || (of.frames > 1 && exceeds(o.max_frame_pixels, pixels)))
    return fail(errc::too_large, "the source is above the limits asked for");
  const auto& size = of.geometry.result;
  const auto side = static_cast<int>(order_.limits.result_side);
  // Before turning and cutting, it may be larger than after.
  const auto& scaled = of.geometry.scaled;
  if (std::max({size.width, size.height, scaled.width, scaled.height}) > side)
    return fail(errc::too_large, "a side of the result is above the limit");
  const auto area = [&](const pixel_size& one) {
    return std::uint64_t(one.width) * std::uint64_t(one.height) * of.frames;
  };
  if (std::max(area(size), area(scaled)) > order_.limits.result_pixels)
    return fail(errc::too_large, "the result has too many pixels");
  return {};
}

void image_making::copy_source(job& to) const {
  const auto& facts = source_.facts();
  to.made.format = facts.format;
  to.made.width = facts.width;
  to.made.height = facts.height;
  to.made.frames = facts.frames;
  to.made.bytes = source_.bytes();
}

std::vector<image_made> image_making::run() {
  for (const auto& options : order_.outputs)
    jobs_.push_back(plan(options));
  for (auto& jobs : groups())
    make(jobs);
  std::vector<image_made> made;
  for (auto& each : jobs_)
    made.push_back(std::move(each.made));
  return made;
}

/// What is trimmed has a size that nobody knows yet, and is decoded alone.
std::vector<image_making::group> image_making::groups() {
  group shared;
  std::vector<group> all;
  for (auto& each : jobs_) {
    const auto& skip = each.options.skip;
    if (each.failed())
      continue;
    if (each.options.raw
        || (each.format == source_.facts().format
            && std::ranges::binary_search(skip, each.format)))
      copy_source(each);
    else if (each.options.trim)
      all.push_back({&each});
    else
      shared.push_back(&each);
  }
  if (!shared.empty())
    all.push_back(std::move(shared));
  return all;
}

void image_making::make(group& jobs) {
  try {
    if (jobs.front()->options.trim)
      return make_trimmed(*jobs.front());
    std::vector<image_options> options;
    std::vector<image_geometry> geometries;
    std::uint32_t frames = 1;
    for (const auto* each : jobs) {
      options.push_back(each->options);
      geometries.push_back(each->geometry);
      frames = std::max(frames, each->frames);
    }
    const auto derived = derivations_of(options, geometries);
    for (std::size_t i = 0; i < jobs.size(); ++i)
      jobs[i]->derived = derived[i];
    group ordered;
    for (const auto i : making_order(derived))
      ordered.push_back(jobs[i]);
    const auto shrink = shrink_for(geometries, frames);
    // Numbers within the group, for `made_from`, become numbers of outputs.
    for (auto* each : jobs)
      if (each->derived.from >= 0) {
        const auto* from = jobs[static_cast<std::size_t>(each->derived.from)];
        each->derived.from = static_cast<std::int32_t>(from - jobs_.data());
      }
    make_frames(ordered, source_.decode(shrink, frames));
  } catch (const vips::VError&) {
    fail_all(jobs, take_vips_words());
  }
}

void image_making::make_trimmed(job& one) {
  const auto whole =
    trim(source_.decode(1, 1).copy_memory(), *one.options.trim);
  one.frames = 1;
  one.geometry = geometry_of({whole.width(), whole.height()},
                             source_.facts().orientation, one.options);
  if (auto fine = check(one); !fine)
    return fail_with(one.made, errc::too_large, fine.error().detail);
  group alone{&one};
  make_frames(alone, whole);
}

void image_making::make_frames(group& jobs, const VImage& roll) {
  const auto start = clock::now();
  const auto frames =
    (*std::ranges::max_element(jobs, {}, &job::frames))->frames;
  const auto decoders = std::ranges::count_if(
    jobs, [](const job* each) { return each->derived.from < 0; });
  const auto pixels = decoders > 1 || frames > 1 ? roll.copy_memory() : roll;
  for (std::uint32_t i = 0; i < frames; ++i) {
    group wanted;
    std::ranges::copy_if(
      jobs, std::back_inserter(wanted),
      [&](const job* each) { return i < each->frames && !each->failed(); });
    make_frame(wanted, frame_of(pixels, i, frames));
  }
  auto last = start;
  for (auto* each : jobs) {
    if (!each->failed())
      encode(*each, roll);
    each->made.made_ms = milliseconds_since(last);
    last = clock::now();
  }
}

void image_making::make_frame(const group& jobs, const VImage& frame) {
  for (auto* each : jobs) {
    const auto from = each->derived.from;
    each->scaled =
      from < 0
        ? scale_region(frame, each->options, each->geometry)
        : scale(jobs_[static_cast<std::size_t>(from)].scaled, each->geometry);
    if (each->derived.feeds)
      each->scaled = each->scaled.copy_memory();
    finish_frame(*each, each->frames > 1);
  }
}

void image_making::finish_frame(job& one, bool eager) {
  auto made = finish(one.scaled, one.options, one.geometry, one.format, mark_,
                     one.memory);
  one.done.push_back(eager ? made.copy_memory() : made);
}

void image_making::encode(job& one, const VImage& roll) {
  try {
    auto image = one.frames > 1 ? join_frames(one.done, roll)
                                : without_frames(one.done.front());
    image = without_metadata(image, one.options);
    storage how;
    how.format = one.format;
    how.quality = one.options.quality_of(one.format);
    how.max_bytes = one.options.max_bytes;
    how.hurry = order_.hurry;
    how.keep_profile = !one.options.strip_profile;
    auto stored = store(image, how);
    one.made.format = one.format;
    one.made.width = static_cast<std::uint32_t>(one.done.front().width());
    one.made.height = static_cast<std::uint32_t>(one.done.front().height());
    one.made.frames = one.frames;
    one.made.quality = stored.quality;
    one.made.made_from = one.derived.from;
    one.made.bytes = std::move(stored.bytes);
    if (one.made.bytes.size() > room_)
      return fail_with(one.made, errc::too_large, "the results are too large");
    room_ -= one.made.bytes.size();
  } catch (const vips::VError&) {
    fail_with(one.made, errc::invalid_media, take_vips_words());
  }
  one.done.clear();
  one.scaled = {};
}

void image_making::fail_all(const group& jobs, const std::string& why) {
  for (auto* each : jobs)
    if (!each->failed() && each->made.bytes.empty())
      fail_with(each->made, errc::invalid_media, why);
}

} // namespace troupe::codec
