# Compiler settings common to all of cprof's own code.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

option(CPROF_WERROR "Treat warnings as errors" ON)
set(CPROF_SANITIZE "" CACHE STRING "Sanitizers for everything but the runtime's shipped libraries, e.g. address,undefined or thread")

add_library(cprof_warnings INTERFACE)
target_compile_options(cprof_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wpointer-arith -Wvla -Wundef -Wformat=2
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
  $<$<BOOL:${CPROF_WERROR}>:-Werror>)
target_compile_definitions(cprof_warnings INTERFACE _GNU_SOURCE)
if(CPROF_SANITIZE)
  target_compile_options(cprof_warnings INTERFACE -fsanitize=${CPROF_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(cprof_warnings INTERFACE -fsanitize=${CPROF_SANITIZE})
endif()
