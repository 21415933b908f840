#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs missing packages, builds the server, and starts it with the default storage plugin, a demo tenant and
# sample images. Data is stored in ./data. The last lines of the output contain the URL and the logins.
#
# Arguments are passed on to the server; environment variables configure it (see etc/gallery.yml):
#
#   HTTP_BIND_PORT=9090 STORAGE_PLUGIN=filesystem etc/run.sh --no-demo
#
# With the demo tenant the server listens on this machine only. For other addresses set HTTP_BIND_ADDRESS (0.0.0.0:
# all), or pass a configuration with --config.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022

etc/bootstrap.sh --run
# shellcheck disable=SC1091
. build/tools.env

# A first build leaves out the tests, which need more packages. A build folder that exists keeps its settings.
first=()
[ -f build/release/CMakeCache.txt ] || first=(-DGALLERY_TESTS=OFF)
cmake --preset release -DGALLERY_NODE="$GALLERY_NODE" "${first[@]}" >build/configure.log 2>&1 || {
    cat build/configure.log >&2
    exit 1
}
cmake --build build/release --target products

demo=(--demo)
arguments=()
own_configuration=no
for argument in "$@"; do
    case "$argument" in
    --no-demo)
        demo=()
        continue
        ;;
    --config | --config=*) own_configuration=yes ;;
    esac
    arguments+=("$argument")
done
if [ ${#demo[@]} -gt 0 ] && [ "$own_configuration" = no ]; then
    export HTTP_BIND_ADDRESS=${HTTP_BIND_ADDRESS-127.0.0.1}
fi
exec build/release/bin/gallery-server "${demo[@]}" "${arguments[@]}"
