#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The long run of the tests with crashes: per engine 1,000 kills, 200 power cuts (half on ext4, half on xfs) and the
# N-th call of the engine failing for N = 1 to 200, and 200 kills while the store is switched. It takes about three
# hours. Requires a build (etc/test.sh), root, strace and xfsprogs.
#
#   test/crash/long.sh
#   KILLS=100 CUTS=20 FAULTS=20 test/crash/long.sh     fewer of each
#
# Everything runs, also after a failure; each failure prints the options that repeat it.
# Exit code: 0 everything held, 1 otherwise. A run that this machine does not permit is a failure, too.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
kills=${KILLS:-1000}
cuts=${CUTS:-200}
faults=${FAULTS:-200}

failed=()
run() {
    printf '== %s\n' "$*"
    python3 -B "$@" || failed+=("$*")
}

for plugin in rocksdb filesystem; do
    run kill_cycles.py --plugin "$plugin" --cycles "$kills"
    run power_cuts.py --plugin "$plugin" --cycles "$((cuts / 2))" --file-system ext4
    run power_cuts.py --plugin "$plugin" --cycles "$((cuts / 2))" --file-system xfs
    run call_faults.py --plugin "$plugin" --cycles "$faults"
done
run switch_kills.py --cycles "$((kills / 5))"

if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}" >&2
    exit 1
fi
