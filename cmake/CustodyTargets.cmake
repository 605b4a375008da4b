# Functions by which the folders declare their targets.

# custody_library(<folder> SOURCES ... DEPS ...)
#   A static library custody_<folder>. Includes are from the root of the tree.
function(custody_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(custody_${name} STATIC ${ARG_SOURCES})
  add_library(custody::${name} ALIAS custody_${name})
  target_include_directories(custody_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(custody_${name} PUBLIC ${ARG_DEPS})
  custody_flags(custody_${name})
endfunction()

# custody_program(<name> SOURCES ... DEPS ...)
function(custody_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  # The same code model as the libraries, so that programs share their precompiled headers; the
  # compiler links position-independent programs by default.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  custody_flags(${name})
  if(CUSTODY_SANITIZE MATCHES "thread" AND CUSTODY_TESTS)
    if(NOT TARGET custody_grpc_for_tsan)
      add_library(custody_grpc_for_tsan OBJECT ${PROJECT_SOURCE_DIR}/tests/support/grpc_for_tsan.cc)
      target_compile_options(custody_grpc_for_tsan PRIVATE ${CUSTODY_CODE_FLAGS_LIST} ${CUSTODY_WARNINGS})
    endif()
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:custody_grpc_for_tsan>)
    target_link_libraries(${name} PRIVATE ${CMAKE_DL_LIBS})
  endif()
endfunction()

# custody_jemalloc(<target>): for a program whose threads free what others have allocated, where glibc's
# allocator spends a sixth of the processor time (daemon/ledger/README.md, Decisions). Sanitizers bring their own.
function(custody_jemalloc target)
  find_library(CUSTODY_JEMALLOC jemalloc)
  if(CUSTODY_JEMALLOC AND NOT CUSTODY_SANITIZE)
    target_link_libraries(${target} PRIVATE -Wl,--no-as-needed ${CUSTODY_JEMALLOC} -Wl,--as-needed)
  endif()
endfunction()

# custody_precompile(<target>): uses the precompiled headers of the messages (lifecycle/messages.h).
# The target must link custody_lifecycle. ccache needs CCACHE_SLOPPINESS=pch_defines,time_macros.
function(custody_precompile target)
  if(NOT CUSTODY_PCH)
    return()
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
  if(target STREQUAL "custody_lifecycle")
    target_precompile_headers(${target} PRIVATE ${PROJECT_SOURCE_DIR}/lifecycle/messages.h)
    custody_precompile_anew(${target})
  else()
    target_precompile_headers(${target} REUSE_FROM custody_lifecycle)
  endif()
endfunction()

# custody_precompile_anew(<target>): the precompiled header itself is compiled from its headers. With
# -fpch-preprocess ccache would look at the old precompiled header instead, and could hand out one that
# was made from other headers.
function(custody_precompile_anew target)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    return()
  endif()
  set_source_files_properties(${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.cxx
      PROPERTIES COMPILE_OPTIONS -fno-pch-preprocess)
endfunction()

# custody_reads_toml(<source>): toml++ 3.3 calls a place unreachable that a letter outside of ASCII where
# a key or a value begins does reach. With the compilers that we build with it is an error of the
# file all the same (tests/unit/daemon/config_test.cc), so that one check is off for the sources
# that include it.
function(custody_reads_toml source)
  if(CUSTODY_SANITIZE MATCHES "undefined")
    set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS -fno-sanitize=unreachable)
  endif()
endfunction()

# custody_flags(<target>): warnings and sanitizers, for our own code only.
function(custody_flags target)
  # -pthread everywhere: it defines a macro, and precompiled headers must agree on those.
  target_compile_options(${target} PRIVATE -pthread ${CUSTODY_CODE_FLAGS_LIST} ${CUSTODY_WARNINGS})
  if("--coverage" IN_LIST CUSTODY_CODE_FLAGS_LIST)
    target_link_options(${target} PUBLIC --coverage)
  endif()
  if(CUSTODY_SANITIZE)
    target_compile_options(${target} PRIVATE
        -fsanitize=${CUSTODY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${CUSTODY_SANITIZE})
    if(CUSTODY_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # Between the calls that the sanitizer puts in, gcc 12 loses track of where a short string keeps its
      # bytes and warns of a copy that the same code without the sanitizer does not make.
      target_compile_options(${target} PRIVATE -Wno-error=array-bounds)
    endif()
  endif()
endfunction()

# The environment of every test, and how much slower tests run. The thread sanitizer must not judge
# Debian's libraries, which it cannot see into; its first report ends the program, also a daemon that
# a test started.
set(CUSTODY_TEST_ENVIRONMENT "")
set(CUSTODY_TEST_SLOWER 1)
if(CUSTODY_SANITIZE MATCHES "thread")
  string(CONCAT CUSTODY_TEST_ENVIRONMENT "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1"
      ":ignore_noninstrumented_modules=1:suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.suppressions")
  set(CUSTODY_TEST_SLOWER 5)
endif()

# custody_test(<name> LABEL <level> SOURCES ... DEPS ... [TIMEOUT <seconds>])
#   One test program; each TEST of it becomes a test of ctest with the label of its level.
function(custody_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_SOURCES)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  math(EXPR timeout "${ARG_TIMEOUT} * ${CUSTODY_TEST_SLOWER}")
  custody_program(${name} SOURCES ${ARG_SOURCES}
      DEPS ${ARG_DEPS} custody_test_support GTest::gmock GTest::gtest_main)
  if("custody_lifecycle" IN_LIST ARG_DEPS)
    custody_precompile(${name})
  endif()
  if(ARG_LABEL MATCHES "^(unit|property|conformance|case|fuzz)$")
    set_property(GLOBAL APPEND PROPERTY CUSTODY_SANITIZED_TESTS ${name})
  endif()
  include(GoogleTest)
  gtest_discover_tests(${name} TEST_PREFIX "${ARG_LABEL}." DISCOVERY_MODE PRE_TEST
      DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${timeout}
      ENVIRONMENT "${CUSTODY_TEST_ENVIRONMENT}")
endfunction()
