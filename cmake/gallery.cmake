# SPDX-License-Identifier: Apache-2.0
# What every target of this project shares: language level, warnings, sanitizers, output folders,
# the precompiled header, and short functions to declare libraries and tests.
include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/archive")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(GALLERY_CCACHE ccache)
if(GALLERY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${GALLERY_CCACHE}")
  # The precompiled header is cached too; ccache asks for this leave.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${GALLERY_CCACHE}")
endif()

find_program(GALLERY_MOLD mold)
if(GALLERY_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Hardening, as Debian's dpkg-buildflags sets it with hardening=+all; test/packages checks the result. Executables are
# position-independent also where that is not the compiler's default. All symbols are resolved at the start, and the
# tables of the linker are read-only from then on. Control-flow protection (-fcf-protection) is left out: Debian 12's C
# library is built without it, so a program that is linked with it cannot use it.
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
add_link_options(-Wl,-z,relro,-z,now)
set(gallery_hardening -fstack-protector-strong -fstack-clash-protection -Werror=format-security)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # It requires optimisation, and hides faults from the sanitizers.
  list(APPEND gallery_hardening -D_FORTIFY_SOURCE=2)
endif()

find_package(Threads REQUIRED)
# CMake 3.25 does not know the dependencies inside Boost 1.81 and later, which are all found all the same.
set(Boost_NO_WARN_NEW_VERSIONS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL 3 REQUIRED)
find_package(PkgConfig REQUIRED)

if(GALLERY_SANITIZE STREQUAL "address")
  set(gallery_sanitizers address,undefined)
elseif(GALLERY_SANITIZE STREQUAL "thread")
  set(gallery_sanitizers thread)
elseif(GALLERY_SANITIZE)
  message(FATAL_ERROR "GALLERY_SANITIZE is '${GALLERY_SANITIZE}'; it takes nothing, 'address' or 'thread'.")
endif()

# Properties of every target of ours. One precompiled header is compiled once, in gallery_pch, and
# reused, so every target has the same compile options.
function(gallery_target target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
    -Wnull-dereference -Wno-missing-field-initializers -Werror
    -fcoroutines ${gallery_hardening})
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    # Tests are compiled more often than they are run: that takes a quarter less time with -O1.
    target_compile_options(${target} PRIVATE $<IF:$<BOOL:${GALLERY_IS_TEST}>,-O1,-O2> -g1)
    # GCC 12 sees null dereferences and uninitialised values in inlined Boost code that are not there.
    target_compile_options(${target} PRIVATE -Wno-null-dereference -Wno-maybe-uninitialized -Wno-array-bounds
      -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict -Wno-dangling-pointer -Wno-free-nonheap-object
      -Wno-mismatched-new-delete)
  else()
    target_compile_options(${target} PRIVATE -Og -Wno-null-dereference -Wno-maybe-uninitialized)
  endif()
  if(gallery_sanitizers)
    # Without the second option undefined behaviour is only printed, and a test that meets it passes.
    target_compile_options(${target} PRIVATE
      -fsanitize=${gallery_sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${gallery_sanitizers})
    if(GALLERY_SANITIZE STREQUAL "thread")
      # Boost.Asio fences in one place in a way that GCC's thread sanitizer warns about.
      target_compile_options(${target} PRIVATE -Wno-tsan)
    endif()
  endif()
  # Executables would be compiled with -fPIE, with which GCC refuses the header precompiled with -fPIC.
  target_compile_options(${target} PRIVATE -fPIC)
  if(TARGET gallery_pch AND NOT target STREQUAL "gallery_pch")
    target_precompile_headers(${target} REUSE_FROM gallery_pch)
  endif()
endfunction()

# gallery_batches(<variable> <target> SOURCES ... [APART ...]): the sources to compile for a target. Where
# GALLERY_UNITY is on, these are files that each include a few of the sources: what the sources share, mostly
# coroutines and the templates behind them, is then compiled once for all of them, which halves the time of a first
# build. Sources APART are compiled alone, as they declare names in an unnamed namespace that others declare, too;
# so are generated ones.
#
# The included paths are relative, so that ccache serves all working trees.
function(gallery_batches variable target)
  cmake_parse_arguments(arg "" "" "SOURCES;APART" ${ARGN})
  set(alone "")
  set(together "")
  foreach(source IN LISTS arg_SOURCES)
    get_filename_component(path "${source}" ABSOLUTE)
    get_filename_component(name "${source}" NAME)
    cmake_path(IS_PREFIX CMAKE_BINARY_DIR "${path}" is_generated)
    if(NOT GALLERY_UNITY OR is_generated OR name IN_LIST arg_APART)
      list(APPEND alone "${path}")
    else()
      list(APPEND together "${path}")
    endif()
  endforeach()
  set(largest 5)
  list(LENGTH together count)
  math(EXPR batches "(${count} + ${largest} - 1) / ${largest}")
  set(number 0)
  while(number LESS batches)
    math(EXPR begin "${count} * ${number} / ${batches}")
    math(EXPR length "${count} * (${number} + 1) / ${batches} - ${begin}")
    list(SUBLIST together ${begin} ${length} batch)
    set(text "")
    foreach(path IN LISTS batch)
      cmake_path(RELATIVE_PATH path BASE_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE relative)
      string(APPEND text "#include \"${relative}\"\n")
    endforeach()
    set(file "${CMAKE_CURRENT_BINARY_DIR}/batches/${target}_${number}.cpp")
    file(CONFIGURE OUTPUT "${file}" CONTENT "${text}")
    # To GCC, types of an included file's unnamed namespace look as if several sources shared them.
    set_source_files_properties("${file}" PROPERTIES
      INCLUDE_DIRECTORIES "${PROJECT_SOURCE_DIR}" COMPILE_OPTIONS -Wno-subobject-linkage)
    list(APPEND alone "${file}")
    math(EXPR number "${number} + 1")
  endwhile()
  set(${variable} ${alone} PARENT_SCOPE)
endfunction()

# gallery_library(<folder name> SOURCES ... [APART ...] LIBS ...): a static library of one server folder.
function(gallery_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;APART;LIBS;PRIVATE_LIBS" ${ARGN})
  gallery_batches(batches gallery_${name} SOURCES ${arg_SOURCES} APART ${arg_APART})
  add_library(gallery_${name} STATIC ${batches})
  add_library(gallery::${name} ALIAS gallery_${name})
  target_include_directories(gallery_${name} PUBLIC "${PROJECT_SOURCE_DIR}/server")
  target_link_libraries(gallery_${name} PUBLIC gallery::common ${arg_LIBS} PRIVATE ${arg_PRIVATE_LIBS})
  gallery_target(gallery_${name})
endfunction()

# gallery_storage_plugin(<name> SOURCES ... [APART ...] LIBS ...): lib/gallery/plugins/<name>.so
function(gallery_storage_plugin name)
  cmake_parse_arguments(arg "" "" "SOURCES;APART;LIBS" ${ARGN})
  gallery_batches(batches gallery_plugin_${name} SOURCES ${arg_SOURCES} APART ${arg_APART})
  add_library(gallery_plugin_${name} MODULE ${batches})
  set_target_properties(gallery_plugin_${name} PROPERTIES
    PREFIX "" OUTPUT_NAME "${name}"
    LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib/gallery/plugins"
    INSTALL_RPATH "$ORIGIN/..")
  target_link_libraries(gallery_plugin_${name} PRIVATE gallery::common ${arg_LIBS})
  gallery_target(gallery_plugin_${name})
  install(TARGETS gallery_plugin_${name} LIBRARY DESTINATION lib/gallery/plugins)
endfunction()

# gallery_printed_pages(<program> <option> <path below share> ...): installs what the program prints with these hidden
# options: manual pages and shell completion, made from the tables of --help.
function(gallery_printed_pages program)
  set(options ${ARGN})
  set(pages "")
  while(options)
    list(POP_FRONT options option path)
    set(page "${CMAKE_BINARY_DIR}/share/${path}")
    get_filename_component(folder "${page}" DIRECTORY)
    file(MAKE_DIRECTORY "${folder}")
    add_custom_command(OUTPUT "${page}" COMMAND ${program} ${option} > "${page}" DEPENDS ${program} VERBATIM)
    list(APPEND pages "${page}")
    get_filename_component(folder "${path}" DIRECTORY)
    install(FILES "${page}" DESTINATION "share/${folder}")
  endwhile()
  add_custom_target(${program}-pages ALL DEPENDS ${pages})
endfunction()

# gallery_together(<target>): compiles several of its sources as one where GALLERY_UNITY is on. For tests, whose large
# headers are the same and take most of the time.
function(gallery_together target)
  if(GALLERY_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 5)
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
endfunction()

# gallery_unit_test(<component> SOURCES ... [APART ...] LIBS ...): the Boost.Test executable unit_<component>. Sources
# APART use names that mean something else in the others.
function(gallery_unit_test name)
  if(NOT GALLERY_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "SOURCES;APART;LIBS" ${ARGN})
  find_package(Boost 1.81 REQUIRED COMPONENTS unit_test_framework)
  # First the file that makes Boost.Test's main(): together with others it works only if its headers come first.
  foreach(source IN LISTS arg_SOURCES)
    if(source MATCHES "\\.cpp$")
      file(STRINGS "${source}" makes_main LIMIT_COUNT 1 REGEX "define (GALLERY|BOOST)_TEST_MODULE")
      if(makes_main)
        list(REMOVE_ITEM arg_SOURCES "${source}")
        list(PREPEND arg_SOURCES "${source}")
        break()
      endif()
    endif()
  endforeach()
  add_executable(unit_${name} ${arg_SOURCES})
  target_include_directories(unit_${name} PRIVATE
    "${PROJECT_SOURCE_DIR}/test/support" "${PROJECT_SOURCE_DIR}/server")
  target_link_libraries(unit_${name} PRIVATE gallery::common ${arg_LIBS} Boost::unit_test_framework)
  gallery_target(unit_${name})
  gallery_together(unit_${name})
  set_source_files_properties(${arg_APART} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  add_test(NAME unit_${name} COMMAND unit_${name} --log_level=test_suite --report_level=short)
  set_tests_properties(unit_${name} PROPERTIES TIMEOUT 300 LABELS unit
    ENVIRONMENT "GALLERY_BUILD=${CMAKE_BINARY_DIR};GALLERY_SOURCE=${PROJECT_SOURCE_DIR}")
endfunction()
