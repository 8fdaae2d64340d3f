#include "media/image/placeholders.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

namespace troupe::media {

namespace {

using std::numbers::pi;

constexpr int blur_x = 4;
constexpr int blur_y = 3;
constexpr int perceptual_side = 32;
constexpr int perceptual_kept = 8;

using rgb = std::array<double, 3>;

double luma_of(const std::uint8_t* pixel) {
  return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

double to_linear(int value) {
  const double v = value / 255.0;
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

int from_linear(double value) {
  const double v = std::clamp(value, 0.0, 1.0);
  return static_cast<int>(
    v <= 0.0031308 ? v * 12.92 * 255 + 0.5
                   : (1.055 * std::pow(v, 1 / 2.4) - 0.055) * 255 + 0.5);
}

std::string base83(int value, int digits) {
  constexpr std::string_view alphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?"
    "@[]^_{|}~";
  std::string text(static_cast<std::size_t>(digits), '0');
  for (auto at = text.rbegin(); at != text.rend(); ++at) {
    *at = alphabet[static_cast<std::size_t>(value % 83)];
    value /= 83;
  }
  return text;
}

std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned block = 0;
    for (std::size_t j = 0; j < 3; ++j)
      block = block << 8 | (i + j < bytes.size() ? bytes[i + j] : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      text += i + j > bytes.size() ? '=' : alphabet[block >> (18 - 6 * j) & 63];
  }
  return text;
}

/// One component of a cosine transform of colours in linear light.
rgb blur_component(const rgba_view& image, const std::vector<rgb>& linear,
                   int nx, int ny) {
  rgb sum{};
  for (int y = 0; y < image.height; ++y) {
    const double down = std::cos(pi * ny * y / image.height);
    for (int x = 0; x < image.width; ++x) {
      const double basis = down * std::cos(pi * nx * x / image.width);
      const auto& pixel = linear[static_cast<std::size_t>(y * image.width + x)];
      for (std::size_t c = 0; c < 3; ++c)
        sum[c] += basis * pixel[c];
    }
  }
  const double scale =
    (nx == 0 && ny == 0 ? 1.0 : 2.0) / (image.width * image.height);
  for (auto& each : sum)
    each *= scale;
  return sum;
}

std::string blur_dc(const rgb& color) {
  return base83((from_linear(color[0]) << 16) + (from_linear(color[1]) << 8)
                  + from_linear(color[2]),
                4);
}

std::string blur_ac(const rgb& color, double most) {
  int value = 0;
  for (const auto each : color) {
    const double share = each / most;
    const double root = std::copysign(std::sqrt(std::abs(share)), share);
    value = value * 19
            + std::clamp(static_cast<int>(std::floor(root * 9 + 9.5)), 0, 18);
  }
  return base83(value, 2);
}

/// A channel's cosine transform, as ThumbHash keeps it.
struct thumb_channel {
  double dc = 0;
  double scale = 0;
  std::vector<double> ac; ///< 0 to 1

  thumb_channel(const std::vector<double>& from, int width, int height, int nx,
                int ny) {
    for (int cy = 0; cy < ny; ++cy)
      for (int cx = 0; cx * ny < nx * (ny - cy); ++cx)
        add(from, width, height, cx, cy);
    if (scale > 0)
      for (auto& each : ac)
        each = 0.5 + 0.5 / scale * each;
  }

private:
  void add(const std::vector<double>& from, int width, int height, int cx,
           int cy) {
    double sum = 0;
    for (int y = 0; y < height; ++y) {
      const double down = std::cos(pi / height * cy * (y + 0.5));
      for (int x = 0; x < width; ++x)
        sum += from[static_cast<std::size_t>(x + y * width)]
               * std::cos(pi / width * cx * (x + 0.5)) * down;
    }
    sum /= width * height;
    if (cx == 0 && cy == 0) {
      dc = sum;
      return;
    }
    ac.push_back(sum);
    scale = std::max(scale, std::abs(sum));
  }
};

/// An image as ThumbHash sees it: luminance, yellow to blue, red to green,
/// alpha, over its mean colour.
struct thumb_planes {
  std::vector<double> l, p, q, a;
  bool has_alpha = false;

  explicit thumb_planes(const rgba_view& image) {
    const auto mean = mean_of(image);
    for (int y = 0; y < image.height; ++y)
      for (int x = 0; x < image.width; ++x)
        add(image.at(x, y), mean);
  }

private:
  rgb mean_of(const rgba_view& image) {
    rgb sum{};
    double alphas = 0;
    for (int y = 0; y < image.height; ++y)
      for (int x = 0; x < image.width; ++x) {
        const auto* pixel = image.at(x, y);
        const double alpha = pixel[3] / 255.0;
        for (std::size_t c = 0; c < 3; ++c)
          sum[c] += alpha / 255.0 * pixel[c];
        alphas += alpha;
      }
    has_alpha = alphas < image.width * image.height;
    for (auto& each : sum)
      each = alphas > 0 ? each / alphas : each;
    return sum;
  }

  void add(const std::uint8_t* pixel, const rgb& mean) {
    const double alpha = pixel[3] / 255.0;
    rgb over{};
    for (std::size_t c = 0; c < 3; ++c)
      over[c] = mean[c] * (1 - alpha) + alpha / 255.0 * pixel[c];
    l.push_back((over[0] + over[1] + over[2]) / 3);
    p.push_back((over[0] + over[1]) / 2 - over[2]);
    q.push_back(over[0] - over[1]);
    a.push_back(alpha);
  }
};

unsigned rounded(double value) {
  return static_cast<unsigned>(std::lround(value));
}

void put_nibbles(std::vector<std::uint8_t>& bytes, std::size_t start,
                 std::size_t& at, const std::vector<double>& values) {
  for (const auto each : values) {
    const auto byte = start + at / 2;
    if (byte >= bytes.size())
      bytes.push_back(0);
    bytes[byte] |=
      static_cast<std::uint8_t>(rounded(15 * each) << (at % 2 * 4));
    ++at;
  }
}

/// Mean luma of a 32 × 32 grid.
std::vector<double> grid_of(const rgba_view& image) {
  std::vector<double> grid;
  for (int y = 0; y < perceptual_side; ++y)
    for (int x = 0; x < perceptual_side; ++x) {
      const int top = y * image.height / perceptual_side;
      const int left = x * image.width / perceptual_side;
      const int bottom =
        std::max(top + 1, (y + 1) * image.height / perceptual_side);
      const int right =
        std::max(left + 1, (x + 1) * image.width / perceptual_side);
      double sum = 0;
      for (int v = top; v < bottom; ++v)
        for (int u = left; u < right; ++u)
          sum += luma_of(image.at(u, v));
      grid.push_back(sum / ((bottom - top) * (right - left)));
    }
  return grid;
}

} // namespace

std::string blurhash_of(const rgba_view& image) {
  std::vector<rgb> linear;
  std::array<double, 256> table{};
  for (int i = 0; i < 256; ++i)
    table[static_cast<std::size_t>(i)] = to_linear(i);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const auto* pixel = image.at(x, y);
      linear.push_back({table[pixel[0]], table[pixel[1]], table[pixel[2]]});
    }
  std::vector<rgb> parts;
  for (int ny = 0; ny < blur_y; ++ny)
    for (int nx = 0; nx < blur_x; ++nx)
      parts.push_back(blur_component(image, linear, nx, ny));
  double largest = 0;
  for (std::size_t i = 1; i < parts.size(); ++i)
    for (const auto each : parts[i])
      largest = std::max(largest, std::abs(each));
  const int kept =
    std::clamp(static_cast<int>(std::floor(largest * 166 - 0.5)), 0, 82);
  auto text = base83(blur_x - 1 + (blur_y - 1) * 9, 1) + base83(kept, 1)
              + blur_dc(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i)
    text += blur_ac(parts[i], (kept + 1) / 166.0);
  return text;
}

std::string thumbhash_of(const rgba_view& image) {
  const int w = image.width;
  const int h = image.height;
  const thumb_planes planes{image};
  const bool clear = planes.has_alpha;
  const double limit = clear ? 5 : 7;
  const int lx =
    std::max(1, static_cast<int>(std::lround(limit * w / std::max(w, h))));
  const int ly =
    std::max(1, static_cast<int>(std::lround(limit * h / std::max(w, h))));
  const thumb_channel l{planes.l, w, h, std::max(3, lx), std::max(3, ly)};
  const thumb_channel p{planes.p, w, h, 3, 3};
  const thumb_channel q{planes.q, w, h, 3, 3};
  const bool lies = w > h;
  const unsigned first = rounded(63 * l.dc) | rounded(31.5 + 31.5 * p.dc) << 6
                         | rounded(31.5 + 31.5 * q.dc) << 12
                         | rounded(31 * l.scale) << 18 | unsigned{clear} << 23;
  const unsigned second = static_cast<unsigned>(lies ? ly : lx)
                          | rounded(63 * p.scale) << 3
                          | rounded(63 * q.scale) << 9 | unsigned{lies} << 15;
  std::vector<std::uint8_t> bytes;
  for (const int shift : {0, 8, 16})
    bytes.push_back(static_cast<std::uint8_t>(first >> shift));
  for (const int shift : {0, 8})
    bytes.push_back(static_cast<std::uint8_t>(second >> shift));
  std::size_t at = 0;
  const std::size_t start = clear ? 6 : 5;
  if (!clear) {
    for (const auto* each : {&l, &p, &q})
      put_nibbles(bytes, start, at, each->ac);
    return base64(bytes);
  }
  const thumb_channel a{planes.a, w, h, 5, 5};
  bytes.push_back(
    static_cast<std::uint8_t>(rounded(15 * a.dc) | rounded(15 * a.scale) << 4));
  for (const auto* each : {&l, &p, &q, &a})
    put_nibbles(bytes, start, at, each->ac);
  return base64(bytes);
}

std::uint64_t perceptual_hash_of(const rgba_view& image) {
  const auto grid = grid_of(image);
  std::vector<double> low;
  for (int v = 0; v < perceptual_kept; ++v)
    for (int u = 0; u < perceptual_kept; ++u) {
      double sum = 0;
      for (int y = 0; y < perceptual_side; ++y)
        for (int x = 0; x < perceptual_side; ++x)
          sum += grid[static_cast<std::size_t>(y * perceptual_side + x)]
                 * std::cos(pi / perceptual_side * (x + 0.5) * u)
                 * std::cos(pi / perceptual_side * (y + 0.5) * v);
      low.push_back(sum);
    }
  std::vector<double> sorted{low.begin() + 1, low.end()};
  std::ranges::nth_element(sorted, sorted.begin() + sorted.size() / 2);
  const double median = sorted[sorted.size() / 2];
  // What is flat has no bits of its own: rounding decides none.
  const auto [least, most] = std::ranges::minmax(sorted);
  const double least_above = median + (most - least) / 1000;
  std::uint64_t hash = 0;
  for (const auto each : low)
    hash = hash << 1 | (each > least_above ? 1u : 0u);
  return hash;
}

std::string dominant_color_of(const rgba_view& image) {
  struct bin {
    std::uint64_t count = 0;
    std::array<std::uint64_t, 3> sum{};
  };
  std::vector<bin> bins(16 * 16 * 16);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const auto* pixel = image.at(x, y);
      if (pixel[3] < 128)
        continue;
      auto& into = bins[static_cast<std::size_t>(
        pixel[0] / 16 * 256 + pixel[1] / 16 * 16 + pixel[2] / 16)];
      ++into.count;
      for (std::size_t c = 0; c < 3; ++c)
        into.sum[c] += pixel[c];
    }
  const auto& best = *std::ranges::max_element(bins, {}, &bin::count);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "#";
  for (const auto each : best.sum) {
    const auto value = best.count > 0 ? each / best.count : 0;
    text += digits[value / 16];
    text += digits[value % 16];
  }
  return text;
}

light_figures light_of(const rgba_view& image) {
  double sum = 0;
  double squares = 0;
  double edges = 0;
  double edge_squares = 0;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const double here = luma_of(image.at(x, y));
      sum += here;
      squares += here * here;
      if (x == 0 || y == 0 || x + 1 == image.width || y + 1 == image.height)
        continue;
      const double edge =
        luma_of(image.at(x - 1, y)) + luma_of(image.at(x + 1, y))
        + luma_of(image.at(x, y - 1)) + luma_of(image.at(x, y + 1)) - 4 * here;
      edges += edge;
      edge_squares += edge * edge;
    }
  const double count = static_cast<double>(image.width) * image.height;
  const double inner =
    std::max(1.0, static_cast<double>(image.width - 2) * (image.height - 2));
  const double mean = sum / count;
  light_figures told;
  told.brightness = mean / 255;
  told.contrast = std::sqrt(std::max(0.0, squares / count - mean * mean)) / 255;
  told.sharpness = edge_squares / inner - (edges / inner) * (edges / inner);
  return told;
}

} // namespace troupe::media
