#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks the sources: the layout with clang-format, mistakes with clang-tidy (.clang-tidy lists the checks, with the
# reasons why some are off), scripts with shellcheck.
#
#   etc/lint.sh             files that differ from the last commit, and new files
#   etc/lint.sh all         all files; clang-tidy takes about ten minutes on two cores
#   etc/lint.sh format      only the layout of all files; takes a second
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
case "${1-}" in
"") mapfile -t files < <(changed) ;;
all) mapfile -t files < <(tracked) ;;
format)
    only_format=yes
    mapfile -t files < <(tracked '*.cpp' '*.hpp')
    ;;
-*)
    sed -n '3,13p' "$0"
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

if [ ${#cpp[@]} -gt 0 ]; then
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
