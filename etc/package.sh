#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds packages for Debian 12: gallery-server, gallery-engine-postgresql and gallery-dev. Installs what the build
# needs, builds the products, and checks the packages with lintian.
#
#   etc/package.sh                       the packages of this tree, in build/packages
#   etc/package.sh --revision 2          another build of the same version; the default is 1
#   etc/package.sh --output FOLDER
#   etc/package.sh --build FOLDER        of a finished build; installs and builds nothing
#
# DEBFULLNAME and DEBEMAIL name the maintainer, as for Debian's own tools.
set -euo pipefail
umask 022
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=
output=$root/build/packages
revision=1
usage() { sed -n '3,11s/^# \{0,1\}//p' "$0"; }
fail() {
    printf 'package: %s\n' "$*" >&2
    exit 1
}
while [ $# -gt 0 ]; do
    case "$1" in
    --help | -h)
        usage
        exit 0
        ;;
    --revision | --output | --build)
        [ $# -ge 2 ] || fail "$1 requires a value"
        case "$1" in
        --revision) revision=$2 ;;
        --output) output=$(realpath -m "$2") ;;
        --build) build=$(realpath -m "$2") ;;
        esac
        shift 2
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done
case "$revision" in
*[!0-9A-Za-z.+~]* | '') fail "--revision '$revision' is not valid: use digits, letters, '.', '+' and '~'" ;;
esac

if [ -z "$build" ]; then
    build=$root/build/release
    "$root/etc/bootstrap.sh" --package
    # shellcheck disable=SC1091
    . "$root/build/tools.env"
    # The suite of gallery-dev is one of the tests.
    (cd "$root" && cmake --preset release -DGALLERY_NODE="$GALLERY_NODE" -DGALLERY_TESTS=ON) \
        >"$root/build/configure.log" 2>&1 || {
        cat "$root/build/configure.log" >&2
        exit 1
    }
    cmake --build "$build" --target products contract_suite
fi
[ -x "$build/bin/gallery-server" ] || fail "there is no finished build in $build"

upstream=$(cat "$root/VERSION")
version=$upstream-$revision
series=${upstream%.*}
maintainer="${DEBFULLNAME:-Gallery packages} <${DEBEMAIL:-packages@gallery.invalid}>"
# Equal trees make equal packages.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

stage=$(mktemp -d "${TMPDIR:-/tmp}/gallery-package.XXXXXX")
trap 'rm -rf "$stage"' EXIT
tree=$stage/tree
mkdir "$tree"
cp -a "$root/etc/debian" "$tree/debian"
cp "$root/CHANGELOG.md" "$tree/CHANGELOG.md"
sed -i "s/@MAINTAINER@/$maintainer/" "$tree/debian/control"
cat >"$tree/debian/changelog" <<END
gallery ($version) unstable; urgency=medium

  * Version $upstream. The upstream changelog lists the changes.

 -- $maintainer  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
END
printf 'package: making the packages of version %s\n' "$version"
(
    cd "$tree"
    export DEB_RULES_REQUIRES_ROOT=no GALLERY_BUILD=$build GALLERY_SERIES=$series GALLERY_VERSION=$version
    debian/rules binary
) >"$stage/log" 2>&1 || {
    cat "$stage/log" >&2
    exit 1
}
mkdir -p "$output"
rm -f "$output"/gallery-*_*.deb
mv "$stage"/gallery-*_"$version"_*.deb "$output/"
lintian --allow-root --fail-on error --suppress-tags initial-upload-closes-no-bugs "$output"/gallery-*.deb
printf 'package: '
ls "$output"/gallery-*.deb
printf 'package: install them with: apt install %s/gallery-server_*.deb\n' "$output"
