#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// Reading the small texts of proc(5).
namespace troupe::media {

/// At most 64 KiB; empty where there is no such file.
[[nodiscard]] std::string file_text(const std::filesystem::path& path);

/// Without their line feeds; parts of `text`.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

/// The first words of a text as numbers; 0 for what is none, or negative.
[[nodiscard]] std::vector<std::uint64_t> numbers_of(std::string_view text,
                                                    std::size_t count);

/// The number that a text begins with, or 0.
[[nodiscard]] double decimal_of(std::string_view text);

} // namespace troupe::media
