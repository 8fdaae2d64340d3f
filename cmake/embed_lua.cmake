# Writes OUT, a C++ source that holds every Lua file of FOLDER as text. Run
# with cmake -DFOLDER=… -DNAMES="a b" -DOUT=… -P.
separate_arguments(NAMES)
set(text "#include \"actors/store/redis_lua.hpp\"\n\n")
string(APPEND text "namespace troupe::store::lua {\n\n")
foreach(name IN LISTS NAMES)
  file(READ "${FOLDER}/${name}.lua" body)
  string(APPEND text
    "const std::string_view ${name}{R\"lua(${body})lua\"};\n\n")
endforeach()
string(APPEND text "} // namespace troupe::store::lua\n")
file(WRITE "${OUT}" "${text}")
