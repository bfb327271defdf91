# How Stentor's folders are built.
#
#   lb_pure(NAME SOURCES … [DEPS …])    static library NAME_pure: decisions, no input or output
#   lb_shell(NAME SOURCES … [DEPS …])   static library NAME: descriptors, timers, logging
#   lb_program(NAME SOURCES … DEPS …)   an executable that is installed
#   lb_test(test_x [DEPS …])            test_x.c with CUnit, run by CTest
#   lb_fuzz(fuzz_x [DEPS …])            fuzz_x.c: with the fuzz preset a libFuzzer program; with
#                                       every other preset a CTest that runs testdata/fuzz_x/*
#   lb_bench(bench_x [DEPS …])          bench_x.c: prints figures, never run by CTest

find_package(PkgConfig REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(PCAP REQUIRED IMPORTED_TARGET libpcap)
pkg_check_modules(NL REQUIRED IMPORTED_TARGET libnl-3.0)
pkg_check_modules(CUNIT REQUIRED IMPORTED_TARGET cunit)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(STENTOR_WERROR "Treat warnings as errors" ON)
option(STENTOR_FUZZ "Build the fuzz targets with libFuzzer (clang only)" OFF)
set(STENTOR_SANITIZE "" CACHE STRING "Value of -fsanitize= for everything, e.g. address,undefined")

add_library(stentor_flags INTERFACE)
target_compile_definitions(stentor_flags INTERFACE _GNU_SOURCE STENTOR_VERSION="${PROJECT_VERSION}")
target_include_directories(stentor_flags INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(stentor_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wno-missing-field-initializers # rows of tables say what they set; the rest is zero
    -Wformat=2 -Wundef -Wvla -fno-strict-aliasing -fstack-protector-strong
    -fno-omit-frame-pointer
    $<$<BOOL:${STENTOR_WERROR}>:-Werror>)
target_link_options(stentor_flags INTERFACE -Wl,-z,relro,-z,now)
if(STENTOR_SANITIZE)
    target_compile_options(stentor_flags INTERFACE
        -fsanitize=${STENTOR_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(stentor_flags INTERFACE -fsanitize=${STENTOR_SANITIZE})
endif()
if(STENTOR_FUZZ)
    target_compile_options(stentor_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# lb_library(TARGET SOURCES DEPS): what lb_pure and lb_shell share.
function(lb_library target sources deps)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PRIVATE stentor_flags PUBLIC ${deps})
endfunction()

function(lb_pure name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
    lb_library(${name}_pure "${ARG_SOURCES}" "${ARG_DEPS}")
    set_property(GLOBAL APPEND PROPERTY STENTOR_PURE ${name}_pure)
endfunction()

function(lb_shell name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
    lb_library(${name} "${ARG_SOURCES}" "${ARG_DEPS}")
endfunction()

function(lb_program name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE stentor_flags ${ARG_DEPS})
    install(TARGETS ${name})
endfunction()

function(lb_test name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;ARGS" ${ARGN})
    add_executable(${name} ${name}.c ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE stentor_flags common_base ${ARG_DEPS} PkgConfig::CUNIT)
    add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

function(lb_fuzz name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
    add_executable(${name} ${name}.c ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE stentor_flags ${ARG_DEPS})
    if(STENTOR_FUZZ)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(${name} PRIVATE "${CMAKE_SOURCE_DIR}/common/base/fuzz_replay.c")
    endif()
    # -runs=0: the corpus is replayed, not searched from (and not written to).
    add_test(NAME ${name} COMMAND ${name} $<$<BOOL:${STENTOR_FUZZ}>:-runs=0>
             ${CMAKE_CURRENT_SOURCE_DIR}/testdata/${name} COMMAND_EXPAND_LISTS)
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
    if(STENTOR_FUZZ)
        set_tests_properties(${name} PROPERTIES ENVIRONMENT "LSAN_OPTIONS=detect_leaks=1")
    endif()
endfunction()

function(lb_bench name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
    add_executable(${name} ${name}.c ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE stentor_flags ${ARG_DEPS})
endfunction()
