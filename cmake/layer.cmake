# A layer is one folder, one library, one list of what it stands on.
function(troupe_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;PRIVATE_USES" ${ARGN})
  add_library(troupe_${name} STATIC ${ARG_SOURCES})
  add_library(troupe::${name} ALIAS troupe_${name})
  target_include_directories(troupe_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(troupe_${name}
    PUBLIC ${ARG_USES}
    PRIVATE ${ARG_PRIVATE_USES} troupe_options)
endfunction()
