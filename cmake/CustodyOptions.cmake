# Options of the build and the flags that every target of the project shares.

option(CUSTODY_WERROR "Treat warnings as errors (the presets switch it on)" OFF)
option(CUSTODY_TESTS "Build the tests" ON)
option(CUSTODY_CRASH_POINTS "Let tests kill custodyd at named steps of the write path; never in a release" OFF)
option(CUSTODY_BENCH_WITHOUT_INDEX "Leave the subject index out, to measure what it costs; only for the preset bench-no-index" OFF)
if(CUSTODY_BENCH_WITHOUT_INDEX)
  get_filename_component(CUSTODY_BUILD_NAME ${PROJECT_BINARY_DIR} NAME)
  if(NOT CUSTODY_BUILD_NAME STREQUAL "bench-no-index")
    message(FATAL_ERROR "CUSTODY_BENCH_WITHOUT_INDEX is ON in ${PROJECT_BINARY_DIR}: a ledger without the subject "
                        "index can withhold events unseen. It is for measurements alone: cmake --preset bench-no-index")
  endif()
  install(CODE "message(FATAL_ERROR \"This build has no subject index and is for measurements alone: install the preset release\")")
endif()
set(CUSTODY_SANITIZE "" CACHE STRING
    "Sanitizers for our own code, for example address,undefined or thread; generated code stays uninstrumented")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CUSTODY_CODE_FLAGS "-O2 -g1" CACHE STRING "Optimisation and debug information of our own code")
# The same in the presets for development, so that ccache builds generated code once for all of them.
set(CUSTODY_GENERATED_FLAGS "-O1 -g0" CACHE STRING "The same for generated code")
separate_arguments(CUSTODY_CODE_FLAGS_LIST UNIX_COMMAND "${CUSTODY_CODE_FLAGS}")
separate_arguments(CUSTODY_GENERATED_FLAGS_LIST UNIX_COMMAND "${CUSTODY_GENERATED_FLAGS}")
include(GNUInstallDirs)

set(CUSTODY_WARNINGS
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Wold-style-cast -Wimplicit-fallthrough -Wunused-result)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  list(APPEND CUSTODY_WARNINGS -Wthread-safety)
endif()
if(CUSTODY_WERROR)
  list(APPEND CUSTODY_WARNINGS -Werror)
endif()

option(CUSTODY_PCH "Precompile the headers of the messages: four times faster to compile" ON)

find_program(CUSTODY_CCACHE ccache)
if(CUSTODY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PROJECT_SOURCE_DIR}/cmake/ccache_launcher)
endif()

# mold links the test binaries several times faster; any linker works.
find_program(CUSTODY_MOLD mold)
if(CUSTODY_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
add_link_options(-Wl,--as-needed)
