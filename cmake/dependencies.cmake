# Every library that the project stands on, under one spelling.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(spdlog REQUIRED)
find_package(date REQUIRED)
find_package(simdjson REQUIRED)
find_package(prometheus-cpp REQUIRED)
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(libseccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(libavformat REQUIRED IMPORTED_TARGET
  libavformat libavcodec libavfilter libavutil libswresample libswscale)
pkg_check_modules(vips REQUIRED IMPORTED_TARGET vips-cpp)
find_path(TROUPE_VALIJSON_INCLUDE valijson/validator.hpp REQUIRED)
find_path(TROUPE_CLI11_INCLUDE CLI/CLI.hpp REQUIRED)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)

# The server's allocator, if it is there.
find_library(TROUPE_JEMALLOC jemalloc)

# Debian's libcaf-dev ships no CMake package.
find_path(TROUPE_CAF_INCLUDE caf/all.hpp REQUIRED)
foreach(part core io)
  find_library(TROUPE_CAF_${part} caf_${part} REQUIRED)
  add_library(CAF::${part} UNKNOWN IMPORTED)
  set_target_properties(CAF::${part} PROPERTIES
    IMPORTED_LOCATION "${TROUPE_CAF_${part}}"
    INTERFACE_INCLUDE_DIRECTORIES "${TROUPE_CAF_INCLUDE}"
    INTERFACE_LINK_LIBRARIES Threads::Threads)
endforeach()
