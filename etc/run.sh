#!/usr/bin/env bash
# From a fresh clone to a gallery one can click on: installs what is missing, builds, and starts the
# server with the embedded store, a demonstration tenant and sample pictures. Data stays in ./data.
# Arguments go to the server; the environment configures it (see etc/gallery.yml), for instance
#
#   HTTP_BIND_PORT=9090 STORAGE_PLUGIN=filesystem etc/run.sh --no-demo
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022

etc/bootstrap.sh
# shellcheck disable=SC1091
. build/tools.env

cmake --preset release -DGALLERY_NODE="$GALLERY_NODE" >build/configure.log 2>&1 || {
    cat build/configure.log >&2
    exit 1
}
cmake --build build/release --target products

demo=(--demo)
arguments=()
for argument in "$@"; do
    if [ "$argument" = --no-demo ]; then demo=(); else arguments+=("$argument"); fi
done
exec build/release/bin/gallery-server "${demo[@]}" "${arguments[@]}"
