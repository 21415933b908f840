#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a whole cluster on this machine, on loopback: a PostgreSQL primary with two synchronous standbys, three gallery
# servers that share it as their store, and haproxy in front of them.
#
#   etc/cluster.sh start [--dir DIR] [--patroni] [--restart SECONDS] [--patience SECONDS]
#   etc/cluster.sh status [--dir DIR]
#   etc/cluster.sh kill primary | standby N | node N [--dir DIR]
#   etc/cluster.sh stop [--dir DIR]
#
# start    installs missing packages, builds, starts everything, and prints the addresses and process ids:
#              url http://127.0.0.1:PORT          the load balancer
#              node N http://127.0.0.1:PORT       the gallery servers
#              primary PID                        PostgreSQL's main processes
#              standby N PID
# status   prints the same lines; what is down is marked. Exit code 3 if no cluster runs
# kill     kills one process with SIGKILL. A killed primary is replaced: a standby is promoted, and the old primary
#          is set up again as a standby. A killed standby or node is started again after the --restart delay. With
#          --patroni, Patroni on the same member is killed, too, as if its machine had failed
# stop     stops everything and keeps the data. It does nothing if nothing runs
#
# --dir DIR            folder for data and logs (default: ./data/cluster)
# --patroni            Patroni with etcd performs the failover instead of this script
# --restart SECONDS    delay before a killed process is started again (default: 10, with --patroni 30); 0: never
# --patience SECONDS   how long a primary may give no answer before it is replaced (default: 5); not with --patroni
#
# GALLERY_SYSADMIN_PASSWORD and GALLERY_DEMO_PASSWORD set the passwords of the first start, as for gallery-server; other
# variables of etc/gallery.yml are passed on to the gallery servers. With GALLERY_BUILD set to a build folder, nothing
# is installed or built. As root, PostgreSQL runs as user postgres; otherwise everything runs as the calling user.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022

if [ "${1-}" = start ] && [ -z "${GALLERY_BUILD-}" ]; then
    # Standard output ends with the addresses; scripts read it.
    etc/bootstrap.sh >&2
    # shellcheck disable=SC1091
    . build/tools.env
    cmake --preset release -DGALLERY_NODE="$GALLERY_NODE" >build/configure.log 2>&1 || {
        cat build/configure.log >&2
        exit 1
    }
    cmake --build build/release --target products >&2
fi
# Debian's Python, for which Debian's PostgreSQL driver is installed.
exec /usr/bin/python3 -B etc/cluster/cluster.py --called-from "$called_from" "$@"
