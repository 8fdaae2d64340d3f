#pragma once

#include <cstdint>
#include <string>

namespace troupe::media {

/// A number as bytes, little endian.
inline std::string little(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i)
    text += static_cast<char>(value >> 8 * i & 0xff);
  return text;
}

/// A JPEG with an EXIF block: orientation, a software, and a copyright (CIPA
/// DC-008, 4.6).
inline std::string with_exif(const std::string& jpeg, unsigned orientation) {
  const std::string software = std::string{"camera 1"} + '\0' + '\0';
  const std::string owner = std::string{"(c) owner"} + '\0';
  const std::uint32_t data = 8 + 2 + 3 * 12 + 4;
  std::string tiff = std::string{"II*"} + '\0' + little(8, 4) + little(3, 2);
  tiff +=
    little(0x0112, 2) + little(3, 2) + little(1, 4) + little(orientation, 4);
  tiff += little(0x0131, 2) + little(2, 2) + little(10, 4) + little(data, 4);
  tiff +=
    little(0x8298, 2) + little(2, 2) + little(10, 4) + little(data + 10, 4);
  tiff += little(0, 4) + software + owner;
  const auto body = std::string{"Exif"} + '\0' + '\0' + tiff;
  const auto size = static_cast<std::uint32_t>(body.size() + 2);
  std::string block{"\xff\xe1"};
  block += static_cast<char>(size >> 8);
  block += static_cast<char>(size & 0xff);
  return jpeg.substr(0, 2) + block + body + jpeg.substr(2);
}

} // namespace troupe::media
