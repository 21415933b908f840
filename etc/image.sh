#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a container image from the Debian packages that etc/package.sh has built. No registry is needed: mmdebstrap makes
# the root file system from Debian's archive, and buildah makes the image from it with etc/container/Containerfile.
#
#   etc/image.sh                    the image localhost/gallery, with the version as its tag and as latest, of the newest
#                                   packages in build/packages
#   etc/image.sh --packages FOLDER
#   etc/image.sh --name NAME        instead of localhost/gallery
#   etc/image.sh --archive FILE     also writes the image to a file, for podman load and docker load
#   etc/image.sh --root FILE        only makes the root file system, as a tar file, and no image. Without buildah
#   etc/image.sh --from FILE        only makes the image, of a root file system that --root made
set -euo pipefail
umask 022
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
packages=$root/build/packages
name=localhost/gallery
archive=
only_root=
from=
usage() { sed -n '3,13s/^# \{0,1\}//p' "$0"; }
fail() {
    printf 'image: %s\n' "$*" >&2
    exit 1
}
while [ $# -gt 0 ]; do
    case "$1" in
    --help | -h)
        usage
        exit 0
        ;;
    --packages | --name | --archive | --root | --from)
        [ $# -ge 2 ] || fail "$1 requires a value"
        case "$1" in
        --packages) packages=$(realpath -m "$2") ;;
        --name) name=$2 ;;
        --archive) archive=$(realpath -m "$2") ;;
        --root) only_root=$(realpath -m "$2") ;;
        --from) from=$(realpath -m "$2") ;;
        esac
        shift 2
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done
need() { command -v "$1" >/dev/null || fail "$1 is missing: apt install $2"; }

# The fixed id of the user gallery, so that volumes belong to the same user in every version of the image. The
# Containerfile contains it, too.
id=900

# The newest version in the folder.
newest() {
    local newest='' package version
    for package in "$packages"/gallery-server_*.deb; do
        [ -e "$package" ] || fail "there is no gallery-server_*.deb in $packages: run etc/package.sh"
        version=$(dpkg-deb -f "$package" Version)
        [ -n "$newest" ] && dpkg --compare-versions "$version" lt "$newest" || newest=$version
    done
    printf '%s' "$newest"
}

# make_root VERSION FILE
make_root() {
    need mmdebstrap mmdebstrap
    mkdir -p "$(dirname "$2")"
    local debs=() package
    for package in gallery-server gallery-engine-postgresql; do
        # A folder with a blank or a comma in its name would be split.
        debs+=("--include=$(echo "$packages/${package}_$1"_*.deb)")
        [ -e "${debs[-1]#--include=}" ] || fail "there is no ${package}_$1_*.deb in $packages: run etc/package.sh"
    done
    printf 'image: making the root file system of version %s\n' "$1"
    # Debian's essential packages, without apt: an image is replaced, not upgraded. The user exists before the package
    # would create it with another id. No password of one installation is part of the image, and no program in it gives
    # its caller the rights of another user.
    # shellcheck disable=SC2016
    mmdebstrap --variant=essential --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --hook-dir=/usr/share/mmdebstrap/hooks/file-mirror-automount \
        --include=ca-certificates,fonts-dejavu-core "${debs[@]}" \
        --essential-hook="echo 'gallery:x:$id:$id:Image gallery server:/var/lib/gallery:/usr/sbin/nologin' >>\"\$1/etc/passwd\"" \
        --essential-hook="echo 'gallery:x:$id:' >>\"\$1/etc/group\"; echo 'gallery:*:::::::' >>\"\$1/etc/shadow\"" \
        --customize-hook='rm -f "$1/etc/gallery/gallery.env" "$1/etc/hostname" "$1/etc/resolv.conf"' \
        --customize-hook='find "$1" -xdev -type f -perm /6000 -exec chmod ug-s {} +' \
        --logfile="$2.log" bookworm "$2" || {
        tail -n 30 "$2.log" >&2
        fail "mmdebstrap failed"
    }
    rm -f "$2.log"
}

if [ -n "$only_root" ]; then
    make_root "$(newest)" "$only_root"
    printf 'image: the root file system is %s\n' "$only_root"
    exit 0
fi

need buildah buildah
stage=$(mktemp -d "${TMPDIR:-/tmp}/gallery-image.XXXXXX")
trap 'rm -rf "$stage"' EXIT
if [ -n "$from" ]; then
    [ -f "$from" ] || fail "there is no file $from"
    ln "$from" "$stage/rootfs.tar" 2>/dev/null || cp "$from" "$stage/rootfs.tar"
else
    make_root "$(newest)" "$stage/rootfs.tar"
fi
# From the image itself, whichever packages made it.
version=$(tar -xOf "$stage/rootfs.tar" ./var/lib/dpkg/status | sed -n '/^Package: gallery-server$/,/^$/s/^Version: //p')
[ -n "$version" ] || fail "there is no gallery-server in the root file system"
# A tag cannot contain every character of a version.
tag=$(printf '%s' "$version" | tr -c '0-9A-Za-z_.-' '-')
# Health checks are part of Docker's format of images only.
buildah build --quiet --format docker --layers=false --file "$root/etc/container/Containerfile" \
    --label org.opencontainers.image.title=gallery --label org.opencontainers.image.version="$version" \
    --label org.opencontainers.image.licenses=Apache-2.0 \
    --tag "$name:$tag" --tag "$name:latest" "$stage" >/dev/null
[ -z "$archive" ] || buildah push --quiet "$name:$tag" "docker-archive:$archive:$name:$tag"
printf 'image: %s:%s, also as %s:latest\n' "$name" "$tag" "$name"
