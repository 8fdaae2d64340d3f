#include "media/child/children.hpp"
#include "media/image/child_task.hpp"

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>
#include <vips/vips8>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>

/// Images by a codec child beside libvips in a process of its own: the same
/// file in, the same format out, one thread.
namespace troupe::media {
namespace {

using vips::VImage;

runtime& threads() {
  static runtime all;
  return all;
}

codec_child& child() {
  static codec_children all{threads(), TROUPE_BENCH_CODEC};
  static const auto one = all.open(child_life::lasting);
  return *one;
}

/// A photograph of that many megapixels, made once: TROUPE_BENCH_PHOTO, scaled,
/// or slopes with grain.
std::string photo(int megapixels) {
  const int width = megapixels == 24 ? 6000 : 4000;
  const auto path = std::filesystem::temp_directory_path()
                    / ("image_bench." + std::to_string(width) + ".jpg");
  if (std::filesystem::exists(path))
    return path;
  const int height =
    width * (megapixels == 24 ? 2 : 3) / (megapixels == 24 ? 3 : 4);
  if (const auto* own = std::getenv("TROUPE_BENCH_PHOTO")) {
    VImage::thumbnail(own, width,
                      VImage::option()
                        ->set("height", height)
                        ->set("crop", VIPS_INTERESTING_CENTRE))
      .jpegsave(path.c_str(), VImage::option()->set("Q", 90));
    return path;
  }
  const auto slopes = VImage::perlin(
    width, height, VImage::option()->set("cell_size", 256)->set("uchar", true));
  const auto grain = VImage::gaussnoise(
    width, height, VImage::option()->set("mean", 0)->set("sigma", 6));
  VImage::bandjoin({slopes + grain, slopes.invert() + grain, slopes * 0.5})
    .cast(VIPS_FORMAT_UCHAR)
    .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB))
    .jpegsave(path.c_str(), VImage::option()->set("Q", 90));
  return path;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void by_child(benchmark::State& state, int megapixels,
              const std::vector<std::string>& outputs) {
  const auto path = photo(megapixels);
  image_order order;
  order.hurry = true;
  for (const auto& text : outputs)
    order.outputs.push_back(parse_options(text, {}).value());
  for (auto _ : state) {
    std::promise<child_end> ended;
    descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    child().run(image_task(order, std::move(file)),
                {{}, {}, [&](child_end end) {
                   ended.set_value(std::move(end));
                 }});
    const auto end = ended.get_future().get();
    if (end.code != errc::none)
      state.SkipWithError(end.message.c_str());
  }
}

void by_libvips(benchmark::State& state, const std::string& format) {
  const auto path = photo(12);
  for (auto _ : state) {
    const auto bytes = bytes_of(path);
    auto* blob = vips_blob_new(nullptr, bytes.data(), bytes.size());
    const auto image = VImage::thumbnail_buffer(blob, 300);
    VipsBlob* made =
      format == "jpg" ? image.jpegsave_buffer(VImage::option()
                                                ->set("Q", 80)
                                                ->set("optimize_coding", true)
                                                ->set("strip", true))
      : format == "webp"
        ? image.webpsave_buffer(
          VImage::option()->set("Q", 79)->set("effort", 2)->set("strip", true))
        : image.heifsave_buffer(
          VImage::option()
            ->set("Q", 63)
            ->set("effort", 2)
            ->set("bitdepth", 8)
            ->set("compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1)
            ->set("strip", true));
    vips_area_unref(VIPS_AREA(made));
    vips_area_unref(VIPS_AREA(blob));
  }
}

void add(const std::string& name, auto run) {
  benchmark::RegisterBenchmark(name.c_str(), run)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Repetitions(5)
    ->ReportAggregatesOnly();
}

void add_all() {
  for (const std::string format : {"jpg", "webp", "avif"}) {
    add("12 MP to 300 px " + format + "/libvips",
        [format](benchmark::State& state) { by_libvips(state, format); });
    add("12 MP to 300 px " + format + "/child",
        [format](benchmark::State& state) {
          by_child(state, 12, {"w:300/f:" + format});
        });
  }
  for (const int size : {12, 24}) {
    const auto text = std::to_string(size) + " MP to webp/";
    const auto one = [size](const char* options) {
      return [size, options](benchmark::State& state) {
        by_child(state, size, {options});
      };
    };
    add(text + "150", one("w:150/f:webp"));
    add(text + "300", one("w:300/f:webp"));
    add(text + "600", one("w:600/f:webp"));
    add(text + "150 and 300 and 600", [size](benchmark::State& state) {
      by_child(state, size, {"w:150/f:webp", "w:300/f:webp", "w:600/f:webp"});
    });
  }
}

} // namespace
} // namespace troupe::media

int main(int argc, char** argv) {
  if (VIPS_INIT(argv[0]) != 0)
    return 1;
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  troupe::media::add_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
