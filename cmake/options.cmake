# What every target of ours is compiled with.
add_library(troupe_options INTERFACE)
target_compile_options(troupe_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wno-unused-parameter -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # GCC 12 warns of its own strings when they were compiled beforehand.
  target_compile_options(troupe_options INTERFACE
    -Wno-array-bounds -Wno-restrict
    -Wno-stringop-overflow -Wno-stringop-overread)
else()
  # Constants of FFmpeg and libseccomp are compound literals; libstdc++'s
  # `stable_sort` takes what is deprecated.
  target_compile_options(troupe_options INTERFACE
    -Wno-c99-extensions -Wno-missing-field-initializers
    -Wno-deprecated-declarations)
  # What is compiled beforehand does not depend on when its headers came here:
  # ccache knows it again, and ninja sees to what changes.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
endif()
# Some libraries ask for it; precompiled headers are shared by targets that
# define the same.
add_compile_definitions(_FILE_OFFSET_BITS=64)
if(CMAKE_UNITY_BUILD)
  # Sources that are compiled as one see each other's private names.
  target_compile_options(troupe_options INTERFACE -Wno-shadow)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(troupe_options INTERFACE -Wno-subobject-linkage
      -Wno-mismatched-new-delete)
  endif()
endif()
if(TROUPE_SANITIZE)
  add_compile_options(-fsanitize=${TROUPE_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TROUPE_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # GCC takes what its own checks jump over for unset.
    target_compile_options(troupe_options INTERFACE -Wno-maybe-uninitialized)
    add_compile_options($<$<STREQUAL:${TROUPE_SANITIZE},thread>:-Wno-tsan>)
  endif()
  if(TROUPE_SANITIZE MATCHES thread)
    # It cannot model Asio's fences and sees its locks instead.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()

find_program(TROUPE_CCACHE ccache)
if(TROUPE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros ${TROUPE_CCACHE})
endif()
find_program(TROUPE_MOLD mold)
if(TROUPE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
