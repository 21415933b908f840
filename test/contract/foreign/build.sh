#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the example plugin as somebody outside this build does: from the public headers, the kit and the common
# library. etc/doc/storage_plugins.md shows this command.
#
#   test/contract/foreign/build.sh [<source.cpp>] <include folder>... <libgallery_kit.a> <libgallery_common.so> \
#       <plugin.so to make>
#
# Without a source, toy.cpp beside this script is built. CXX and CXXFLAGS as usual. Prints nothing where all is well.
set -euo pipefail
[ $# -ge 4 ] || {
    sed -n '3,9p' "$0" >&2
    exit 2
}
source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/toy.cpp
case $1 in *.cpp)
    source=$1
    shift
    ;;
esac
plugin=${!#}
common=${*: -2:1}
kit=${*: -3:1}
includes=()
for folder in "${@:1:$#-3}"; do includes+=(-I "$folder"); done

# shellcheck disable=SC2086
"${CXX:-g++}" -std=c++20 -O1 -fPIC -shared -fvisibility=hidden ${CXXFLAGS-} \
    -DBOOST_ASIO_SEPARATE_COMPILATION -DBOOST_ASIO_DYN_LINK -DBOOST_ASIO_NO_DEPRECATED \
    -DBOOST_ASIO_DISABLE_BOOST_COROUTINE -DBOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=8 \
    "${includes[@]}" "$source" "$kit" "$common" -pthread -o "$plugin"
