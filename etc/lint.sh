#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks the sources: the layout with clang-format, mistakes with clang-tidy (.clang-tidy lists the checks, with the
# reasons why some are off), the use of locks with clang (gallery/mutex.hpp describes the annotations), and scripts
# with shellcheck.
#
#   etc/lint.sh             files that differ from the last commit, and new files
#   etc/lint.sh all         all files; clang-tidy takes about ten minutes on two cores
#   etc/lint.sh format      only the layout of all files; takes a second
#   etc/lint.sh locks       only the locks, of all files that use them; takes about two minutes on two cores
#   etc/lint.sh FILE...     these files
#
# clang-tidy uses the compile commands of build/release, so build that first (etc/test.sh or etc/run.sh). A changed
# header is checked through the files that include it.
# Exit code: 0 nothing found, 1 something found, 77 a tool or the build is missing (a message names it).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
build=build/release
findings=0
missing=0

say() { printf 'lint: %s\n' "$*"; }

tracked() { git ls-files -- "$@"; }
changed() {
    {
        git diff --name-only --diff-filter=d HEAD
        git ls-files --others --exclude-standard
    } | sort -u
}

# Debian's version first, because other versions format differently.
tool() {
    local name
    for name in "$1-14" "$1"; do
        if command -v "$name" >/dev/null && "$name" --version | grep -q 'version 14\.'; then
            echo "$name"
            return 0
        fi
    done
    return 1
}

only_format=no
only_locks=no
case "${1-}" in
"") mapfile -t files < <(changed) ;;
all) mapfile -t files < <(tracked) ;;
format)
    only_format=yes
    mapfile -t files < <(tracked '*.cpp' '*.hpp')
    ;;
locks)
    only_locks=yes
    mapfile -t files < <(tracked 'common/*.cpp' 'server/*.cpp' 'storage_plugins/*.cpp')
    ;;
-*)
    sed -n '3,15p' "$0"
    exit 2
    ;;
*) files=("$@") ;;
esac

cpp=()
sources=()
headers=()
scripts=()
for file in "${files[@]}"; do
    [ -f "$file" ] || continue
    case "$file" in
    *.cpp)
        cpp+=("$file")
        sources+=("$file")
        ;;
    *.hpp)
        cpp+=("$file")
        headers+=("$file")
        ;;
    *.sh | .ci/run) scripts+=("$file") ;;
    esac
done

if [ ${#cpp[@]} -gt 0 ] && [ "$only_locks" = no ]; then
    if format=$(tool clang-format); then
        "$format" --dry-run -Werror "${cpp[@]}" || findings=1
    else
        say "clang-format 14 is missing, so the layout was not checked (apt-get install clang-format)"
        missing=1
    fi
fi
if [ "$only_format" = yes ]; then
    [ "$findings" -eq 0 ] || say "clang-format -i FILE corrects the layout"
    [ "$findings" -eq 0 ] && [ "$missing" -eq 1 ] && exit 77
    exit "$findings"
fi

if [ ${#scripts[@]} -gt 0 ]; then
    if command -v shellcheck >/dev/null; then
        shellcheck -S warning "${scripts[@]}" || findings=1
    else
        say "shellcheck is missing, so scripts were not checked (apt-get install shellcheck)"
        missing=1
    fi
fi

# A header has no compile command of its own.
for header in "${headers[@]}"; do
    mapfile -t users < <(grep -rlE "#include [\"<]([a-z_/]*/)?$(basename "$header")[\">]" --include='*.cpp' \
        common server storage_plugins test)
    sources+=("${users[@]}")
done
mapfile -t sources < <(printf '%s\n' "${sources[@]}" | sort -u | grep -v '^$')

# Prints those of the given sources that use a lock: they include mutex.hpp, or a header that does.
using_locks() {
    local headers
    headers=$(git grep --untracked -lF '#include <gallery/mutex.hpp>' -- '*.hpp' | xargs -n 1 basename | paste -sd '|')
    grep -lE "#include [<\"]([a-z_/]*/)?(mutex.hpp|$headers)[>\"]" "$@" /dev/null
}

lock_flags=(
    -std=c++20 -fsyntax-only -Wno-everything -Wthread-safety -Werror=thread-safety
    # libstdc++ requires a macro that only later versions of clang define.
    -D__cpp_impl_coroutine=201902L -fcoroutines-ts
    -DBOOST_ASIO_SEPARATE_COMPILATION -DBOOST_ASIO_DYN_LINK -DBOOST_ASIO_NO_DEPRECATED
    -DBOOST_ASIO_DISABLE_BOOST_COROUTINE -DBOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=8
    -I common/include -I "$build/common/include" -I server -I storage_plugins/kit/include -isystem /usr/include/postgresql
)
mapfile -t lockers < <([ ${#sources[@]} -eq 0 ] || using_locks "${sources[@]}" | grep -E '^(common|server|storage_plugins)/')
if [ ${#lockers[@]} -gt 0 ]; then
    if ! clang=$(tool clang++); then
        say "clang 14 is missing, so the use of locks was not checked (apt-get install clang)"
        missing=1
    elif [ ! -f "$build/common/include/gallery/abi_headers.hpp" ]; then
        say "there is no $build; build first (etc/test.sh)"
        missing=1
    else
        printf '%s\0' "${lockers[@]}" | xargs -0 -P "$(nproc)" -n 1 nice "$clang" "${lock_flags[@]}" || findings=1
    fi
fi
if [ "$only_locks" = yes ]; then
    [ "$findings" -ne 0 ] || [ "$missing" -ne 0 ] || say "nothing found in ${#lockers[@]} files that use locks"
    [ "$findings" -eq 0 ] && [ "$missing" -eq 1 ] && exit 77
    exit "$findings"
fi

if [ ${#sources[@]} -gt 0 ]; then
    if ! tidy=$(tool clang-tidy); then
        say "clang-tidy 14 is missing (apt-get install clang-tidy)"
        missing=1
    elif [ ! -f "$build/compile_commands.json" ]; then
        say "there is no $build/compile_commands.json; build first (etc/test.sh)"
        missing=1
    else
        # Removes GCC's precompiled header and options that clang does not have.
        commands=$(mktemp -d)
        trap 'rm -rf "$commands"' EXIT
        python3 - "$build/compile_commands.json" "$commands/compile_commands.json" "${sources[@]}" \
            >"$commands/files" <<'PYTHON'
import json, os, re, sys

def of_single_sources(entry):
    """A file that includes several sources (see gallery_batches) stands for each of them."""
    if "/batches/" not in entry["file"]:
        return [entry]
    included = re.findall(r'^#include "(.*)"', open(entry["file"]).read(), re.M)
    return [{**entry, "file": os.path.abspath(name),
             "command": entry["command"].replace(entry["file"], os.path.abspath(name))} for name in included]


entries, wanted = [], {os.path.abspath(name) for name in sys.argv[3:]}
for entry in (single for entry in json.load(open(sys.argv[1])) for single in of_single_sources(entry)):
    if entry["file"] not in wanted:
        continue
    command = re.sub(r"^.*?(?=\S*/(?:c\+\+|g\+\+)\S* )", "", entry["command"])  # without ccache
    command = re.sub(r"-include \S*cmake_pch\S*|-Winvalid-pch|-fcoroutines|-Werror(?= )", "", command)
    entry["command"] = command + " -Wno-unknown-warning-option"
    entries.append(entry)
    print(entry["file"])
json.dump(entries, open(sys.argv[2], "w"))
PYTHON
        sort -u "$commands/files" | xargs -r -P "$(nproc)" -n 4 \
            nice "$tidy" --quiet -p "$commands" 2> >(grep -v 'warnings generated\|warnings treated\|^Suppressed\|^Use -header' >&2) ||
            findings=1
    fi
fi

[ "$findings" -ne 0 ] || say "nothing found in ${#files[@]} files"
[ "$findings" -eq 0 ] && [ "$missing" -eq 1 ] && exit 77
exit "$findings"
