#include "media/image/vips/library.hpp"

#include <vips/vips.h>

// Uses what the one above declares.
#include <vips/vector.h>
#include <vips/vips8>

#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace troupe::codec {

namespace {

using media::image_format;

struct loader {
  image_format format;
  const char* name; ///< of the class in libvips, with all below it
};

constexpr std::array loaders{
  loader{image_format::jpeg, "VipsForeignLoadJpeg"},
  loader{image_format::png, "VipsForeignLoadPng"},
  loader{image_format::webp, "VipsForeignLoadWebp"},
  loader{image_format::gif, "VipsForeignLoadNsgif"},
  loader{image_format::avif, "VipsForeignLoadHeif"},
  loader{image_format::tiff, "VipsForeignLoadTiff"},
  loader{image_format::svg, "VipsForeignLoadSvg"},
};

void stay_silent(const gchar*, GLogLevelFlags, const gchar*, gpointer) {}

/// Operations that have Orc write code when they are first built, even if it is
/// not to be used: here it may, in a child it aborts. They are not run, since
/// that would start a thread, of which a zygote has one only.
void warm_arithmetic() {
  const auto one = vips::VImage::black(1, 1);
  [[maybe_unused]] const auto all = (one.abs() + one - one) * one;
}

} // namespace

bool prepare_images() {
  // Above what images may have: nothing is ever spilled to a file.
  ::setenv("VIPS_DISC_THRESHOLD", "64g", 1);
  ::setenv("VIPS_CONCURRENCY", "1", 1);
  // Orc would write code while it runs, which no child may.
  ::setenv("VIPS_NOVECTOR", "1", 1);
  // What librsvg stands on would look for a bus to find files by.
  ::setenv("GIO_USE_VFS", "local", 1);
  ::mallopt(M_ARENA_MAX, 2);
  g_log_set_default_handler(&stay_silent, nullptr);
  if (VIPS_INIT("troupe-codec") != 0)
    return false;
  vips_concurrency_set(1);
  vips_vector_set_enabled(FALSE);
  vips_cache_set_max(0);
  warm_arithmetic();
  vips_operation_block_set("VipsForeignLoad", TRUE);
  return true;
}

void allow_images(std::span<const image_format> formats) {
  vips_operation_block_set("VipsForeignLoad", TRUE);
  for (const auto& each : loaders) {
    const bool heif =
      each.format == image_format::avif
      && std::ranges::find(formats, image_format::heic) != formats.end();
    if (heif || std::ranges::find(formats, each.format) != formats.end())
      vips_operation_block_set(each.name, FALSE);
  }
}

} // namespace troupe::codec
