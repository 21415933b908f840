#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs missing packages, builds everything, and runs the tests. The output ends with ctest's summary. Exit code:
# 0 all tests passed, 1 otherwise.
#
#   etc/test.sh            all tests with the preset release, which users run
#   etc/test.sh dev        debug, address and undefined-behaviour sanitizers
#   etc/test.sh tsan       debug, thread sanitizer
#   etc/test.sh all        the three presets, one after the other
#
# Further arguments are passed to ctest, for instance: etc/test.sh dev -R unit_config
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
umask 022

presets=(release)
case "${1-}" in
release | dev | tsan)
    presets=("$1")
    shift
    ;;
all)
    presets=(release dev tsan)
    shift
    ;;
esac

etc/bootstrap.sh || exit 1
# shellcheck disable=SC1091
. build/tools.env

failed=()
for preset in "${presets[@]}"; do
    printf '== %s: build\n' "$preset"
    if ! cmake --preset "$preset" -DGALLERY_NODE="$GALLERY_NODE" -DGALLERY_TESTS=ON \
        >"build/configure-$preset.log" 2>&1; then
        cat "build/configure-$preset.log" >&2
        failed+=("$preset (configure)")
        continue
    fi
    if ! cmake --build "build/$preset"; then
        failed+=("$preset (build)")
        continue
    fi
    printf '== %s: tests\n' "$preset"
    # Tests run in parallel: the suites that start servers choose free ports themselves. One more than there are
    # processors, because many tests wait: for a browser, a timer, the disk.
    ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$(($(nproc) + 1))" "$@" ||
        failed+=("$preset")
done

if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[*]}" >&2
    exit 1
fi
