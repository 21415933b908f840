#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tests that take too long for each change: all tests with the presets release, dev (address and undefined-behaviour
# sanitizers) and tsan (thread sanitizer), clang's analysis of locks, the long run of the tests with crashes, and
# libFuzzer for a minute a target. It takes about six hours on two cores. Requires root, and Debian's packages clang and
# libclang-rt-14-dev besides those of etc/bootstrap.sh.
#
#   etc/nightly.sh
#
# Everything runs, also after a failure. The output of each part is in build/nightly/; the summary is printed last.
# Exit code: 0 everything passed, 1 otherwise. A part that this machine does not permit is a failure, too.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
mkdir -p build/nightly

failed=()
run() {
    local name=$1
    shift
    printf '== %s\n' "$*"
    if "$@" >"build/nightly/$name.log" 2>&1; then
        printf 'passed\n'
    else
        tail -n 20 "build/nightly/$name.log" >&2
        failed+=("$name, see build/nightly/$name.log")
    fi
}

run release etc/test.sh release
run locks etc/lint.sh locks
run dev etc/test.sh dev
run tsan etc/test.sh tsan
run crash test/crash/long.sh
run fuzz etc/fuzz.sh

if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "everything passed"
