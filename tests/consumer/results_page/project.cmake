# The project around the program of docs/results.md.
cmake_minimum_required(VERSION 3.22)
project(results_page LANGUAGES CXX)
find_package(tessera 0.1 CONFIG REQUIRED)
add_executable(results_page main.cpp)
target_link_libraries(results_page PRIVATE tessera::tessera)
target_compile_options(results_page PRIVATE -Wall -Wextra -Werror)
