# Headers that many files read, compiled once for all targets that share them:
# `target_precompile_headers(... REUSE_FROM name)`. The fuzz preset does without,
# so that a file that forgets an include is found.
function(troupe_headers name)
  cmake_parse_arguments(ARG "" "" "USES;OPTIONS" ${ARGN})
  add_library(${name} OBJECT ${PROJECT_SOURCE_DIR}/cmake/headers.cpp)
  target_link_libraries(${name} PRIVATE ${ARG_USES} troupe_options)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${ARG_OPTIONS})
  target_precompile_headers(${name} PRIVATE
    <algorithm> <array> <chrono> <cstdint> <filesystem> <functional> <memory>
    <optional> <string> <string_view> <utility> <vector>
    <boost/system/error_code.hpp> <boost/system/result.hpp>
    ${ARG_UNPARSED_ARGUMENTS})
endfunction()

troupe_headers(troupe_common_headers)
troupe_headers(troupe_media_headers
  <boost/asio/any_io_executor.hpp> <boost/asio/post.hpp>
  <boost/asio/steady_timer.hpp>)
