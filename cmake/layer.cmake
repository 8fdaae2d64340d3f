# A layer is one folder, one library, one list of what it stands on. `HEADERS`
# names the target whose precompiled headers it shares; `OWN` if it has its own.
function(troupe_layer name)
  cmake_parse_arguments(ARG "" "HEADERS" "SOURCES;USES;PRIVATE_USES" ${ARGN})
  add_library(troupe_${name} STATIC ${ARG_SOURCES})
  add_library(troupe::${name} ALIAS troupe_${name})
  target_include_directories(troupe_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(troupe_${name}
    PUBLIC ${ARG_USES}
    PRIVATE ${ARG_PRIVATE_USES} troupe_options)
  if(NOT ARG_HEADERS)
    set(ARG_HEADERS troupe_common_headers)
  endif()
  if(NOT ARG_HEADERS STREQUAL OWN)
    target_precompile_headers(troupe_${name} REUSE_FROM ${ARG_HEADERS})
  endif()
endfunction()

# Sources that are compiled alone where others are compiled in groups, as the
# sanitizers' presets do: a neighbour has private names of the same kind.
function(troupe_alone)
  set_source_files_properties(${ARGN}
    PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
