#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the console's browser tests against a real server: started here on a free port, with a data folder of
# its own, and stopped again.
#
#   GALLERY_SERVER=build/release/bin/gallery-server test/console/run.sh [arguments of playwright test]
#
# GALLERY_NODE, GALLERY_NPM   programs to use instead of the PATH's
# CHROMIUM                    the browser: by default chromium-headless-shell, which is Chromium without windows and takes
#                             half the processor time; else chromium
# CONSOLE_SCREENSHOTS         folder for pictures of every view; by default beside the server's build
# GALLERY_URL                 a running server to use instead, with GALLERY_SYSADMIN_PASSWORD and
#                             GALLERY_DEMO_PASSWORD. It trusts this machine as a proxy (HTTP_TRUSTED_PROXIES) and has
#                             MAX_RESOURCE_SIZE=4194304
# CONSOLE_WORKERS             how many tests run at a time (2)
set -euo pipefail
# Paths that were given are the caller's, so they are read before the folder changes.
for path in GALLERY_SERVER CONSOLE_SCREENSHOTS GALLERY_CONSOLE_DIR; do
    if [ -n "${!path-}" ]; then
        export "$path=$(realpath -m "${!path}")"
    fi
done
cd "$(dirname "${BASH_SOURCE[0]}")"

node=${GALLERY_NODE:-node}
case "$node" in */*) PATH="$(dirname "$node"):$PATH" ;; esac
CHROMIUM=${CHROMIUM:-$(command -v chromium-headless-shell || command -v chromium || true)}
export CHROMIUM
if [ ! -x "$CHROMIUM" ]; then
    echo "There is no Chromium${CHROMIUM:+ at $CHROMIUM}: apt-get install chromium-headless-shell, or set CHROMIUM." >&2
    exit 77
fi
# One at a time: several parts of the tests may run at once.
exec 9<package.json
flock 9
if [ node_modules/.package-lock.json -ot package-lock.json ]; then
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 "${GALLERY_NPM:-npm}" ci --no-audit --no-fund --loglevel=error
fi
exec 9<&-

work=$(mktemp -d)
server_pid=
finish() {
    if [ -n "$server_pid" ]; then
        kill -TERM "$server_pid" 2>/dev/null || true
        wait "$server_pid" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT
export CONSOLE_TEST_OUTPUT="$work/results"

if [ -z "${GALLERY_URL-}" ]; then
    server=$(realpath "${GALLERY_SERVER:-../../build/release/bin/gallery-server}")
    build=$(dirname "$(dirname "$server")")
    export CONSOLE_SCREENSHOTS=${CONSOLE_SCREENSHOTS:-$build/console-screenshots}
    port=$(node -e 'const s = require("net").createServer(); s.listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
    export GALLERY_SYSADMIN_PASSWORD=${GALLERY_SYSADMIN_PASSWORD:-Sysadmin-Pass-1}
    export GALLERY_DEMO_PASSWORD=${GALLERY_DEMO_PASSWORD:-Demo-Pass-1}
    if [ -z "${GALLERY_CONSOLE_DIR-}" ] && [ -d "$build/console/browser" ]; then
        export GALLERY_CONSOLE_DIR="$build/console/browser"
    fi
    # A small limit, so that a file too large is quickly made. One test has a proxy of its own on this machine.
    HTTP_BIND_ADDRESS=127.0.0.1 HTTP_BIND_PORT=$port GALLERY_DATA="$work/data" \
        HTTP_TRUSTED_PROXIES=127.0.0.1 \
        STORAGE_PLUGIN=${STORAGE_PLUGIN:-rocksdb} MAX_RESOURCE_SIZE=4194304 \
        "$server" --demo >"$work/server.log" 2>&1 &
    server_pid=$!
    export GALLERY_URL="http://127.0.0.1:$port"
    for _ in $(seq 600); do
        if curl -s -o /dev/null "$GALLERY_URL/api/system/params"; then
            break
        fi
        if ! kill -0 "$server_pid" 2>/dev/null; then
            echo "The server did not start:" >&2
            cat "$work/server.log" >&2
            exit 1
        fi
        sleep 0.1
    done
    if ! curl -s "$GALLERY_URL/" | grep -q g-root; then
        echo "The server serves no console: build gallery_console first, or set GALLERY_CONSOLE_DIR." >&2
        cat "$work/server.log" >&2
        exit 1
    fi
fi

status=0
node node_modules/@playwright/test/cli.js test "$@" || status=$?
if [ "$status" -ne 0 ] && [ -f "$work/server.log" ]; then
    echo "The server's last words:" >&2
    tail -n 20 "$work/server.log" >&2
fi
exit "$status"
