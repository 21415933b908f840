#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares the release server with nginx: requests a second, CPU time per request, latencies, memory. Starts
# both itself, on free ports and with folders of their own, and puts what it finds into build/load/.
#
#   test/load/compare.sh                         every case, some ten minutes on a machine without other work
#   test/load/compare.sh --cases 304,2k          some of them
#   test/load/compare.sh --smoke                 each for a moment; fails on any answer that is an error
#   test/load/compare.sh --help                  pairs, seconds, plugins, congestion control
#
# Ends with 77 and a word where wrk or nginx are missing (Debian's packages wrk and nginx-light).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
for tool in wrk nginx python3 taskset; do
    if ! PATH="$PATH:/usr/sbin" command -v "$tool" >/dev/null; then
        echo "skipped: $tool is missing; etc/bootstrap.sh installs it" >&2
        exit 77
    fi
done
# 10,000 idle connections need as many descriptors on either side.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
export PATH="$PATH:/usr/sbin"
exec python3 -B compare/main.py "$@"
