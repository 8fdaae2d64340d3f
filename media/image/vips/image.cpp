#include "media/image/vips/image.hpp"

#include "media/image/vips/analysis.hpp"
#include "media/image/vips/library.hpp"
#include "media/image/vips/making.hpp"
#include "media/image/vips/mark.hpp"

#include <algorithm>
#include <optional>

namespace troupe::codec {

namespace {

using namespace media;
using vips::VImage;
using clock = std::chrono::steady_clock;

constexpr std::uint64_t most_mark_bytes = 16u << 20;

double milliseconds_since(clock::time_point start) {
  return std::chrono::duration<double, std::milli>(clock::now() - start)
    .count();
}

task_answer answer_of(const failure& why) {
  const auto code = why.code.category() == media_category()
                      ? static_cast<errc>(why.code.value())
                      : errc::internal;
  return {code, why.detail};
}

result<std::string> read_source(const image_order& order,
                                const task_request& request,
                                task_context& context) {
  if (order.asks)
    return read_asked(context, order.source_size, order.limits.bytes);
  if (request.files.empty())
    return fail(errc::bad_params, "no source is given");
  return read_file(request.files.front(), order.limits.bytes);
}

result<VImage> draw_mark(const std::string& markup) {
  try {
    return draw_text(markup);
  } catch (const vips::VError&) {
    return fail(errc::bad_params, "watermark: " + take_vips_words());
  }
}

/// The watermark in memory, in sRGB.
result<VImage> read_mark(const task_request& request,
                         const image_order& order) {
  if (!order.has_watermark)
    return draw_mark(order.mark_text);
  if (request.files.empty())
    return fail(errc::bad_params, "no watermark is given");
  auto bytes = read_file(request.files.back(), most_mark_bytes);
  if (!bytes)
    return bytes.error();
  auto opened = image_source::open(std::move(*bytes), order);
  if (!opened)
    return opened.error();
  try {
    return to_srgb(opened->decode(1, 1)).copy_memory();
  } catch (const vips::VError&) {
    return fail(errc::invalid_media, "watermark: " + take_vips_words());
  }
}

bool wants_mark(const image_order& order) {
  return (order.has_watermark || !order.mark_text.empty())
         && std::ranges::any_of(order.outputs, [](const image_options& each) {
              return each.watermark.has_value();
            });
}

/// None of several is as bad as the one.
std::optional<task_answer> total_loss(const std::vector<image_made>& made) {
  const auto is_lost = [](const image_made& each) {
    return each.code != errc::none;
  };
  if (made.empty() || !std::ranges::all_of(made, is_lost))
    return std::nullopt;
  return task_answer{made.front().code, made.front().message};
}

task_answer work(const image_order& order, const task_request& request,
                 task_context& context) {
  const auto start = clock::now();
  allow_images(order.readable);
  auto bytes = read_source(order, request, context);
  if (!bytes)
    return answer_of(bytes.error());
  auto source = image_source::open(std::move(*bytes), order);
  if (!source)
    return answer_of(source.error());
  image_result made;
  made.source = order.made_of.value_or(source->facts());
  made.header_ms = milliseconds_since(start);
  VImage mark;
  if (wants_mark(order)) {
    auto read = read_mark(request, order);
    if (!read)
      return answer_of(read.error());
    mark = *read;
  }
  image_making making{*source, order, mark.is_null() ? nullptr : &mark};
  made.outputs = making.run();
  if (order.analyse) {
    auto told = analyse_image(*source);
    if (!told)
      return answer_of(told.error());
    made.analysis = std::move(*told);
  } else if (auto lost = total_loss(made.outputs)) {
    return *lost;
  }
  made.total_ms = milliseconds_since(start);
  return {errc::none, encode_image_result(made)};
}

} // namespace

task_answer make_images(const task_request& request, task_context& context) {
  const auto order = read_image_order(request.params);
  if (!order)
    return answer_of(order.error());
  auto answer = work(*order, request, context);
  vips_error_clear();
  return answer;
}

} // namespace troupe::codec
