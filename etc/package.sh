#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds packages for Debian 12: gallery-server, gallery-engine-postgresql and gallery-dev. Installs what the build
# needs, builds the products, and checks the packages with lintian.
#
#   etc/package.sh                       the packages of this tree, in build/packages
#   etc/package.sh --revision 2          the default is 1 for a tagged commit without changes, else one with the
#                                        commit's time and hash
#   etc/package.sh --output FOLDER
#   etc/package.sh --build FOLDER        of a finished build (products, contract_suite); installs and builds nothing
#
# DEBFULLNAME and DEBEMAIL name the maintainer, as for Debian's own tools.
set -euo pipefail
umask 022
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=
output=$root/build/packages
revision=
usage() { sed -n '3,12s/^# \{0,1\}//p' "$0"; }
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
# Packages of different commits have different versions, and a later commit's is higher.
git() { command git -c safe.directory="$root" -C "$root" "$@"; }
if [ -z "$revision" ]; then
    revision=1
    if [ -e "$root/.git" ]; then
        changed=$(git status --porcelain --untracked-files=no)
        [ -z "$changed" ] && git describe --tags --exact-match >/dev/null 2>&1 ||
            revision=1+git$(TZ=UTC git log -1 --date=format-local:%Y%m%d%H%M --format=%cd.%h)
        [ -z "$changed" ] || revision+=.dirty
    fi
fi
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
for program in gallery-server gallery-admin gallery-load contract_suite; do
    [ -x "$build/bin/$program" ] ||
        fail "there is no finished build in $build: bin/$program is missing (targets: products, contract_suite)"
done

upstream=$(cat "$root/VERSION")
built=$("$build/bin/gallery-server" --version)
[ "$built" = "gallery-server $upstream" ] || fail "the build in $build is '$built', but VERSION contains $upstream: build again"
version=$upstream-$revision
series=${upstream%.*}
maintainer="${DEBFULLNAME:-Gallery packages} <${DEBEMAIL:-packages@gallery.invalid}>"
# Equal trees make equal packages.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

stage=$(mktemp -d "${TMPDIR:-/tmp}/gallery-package.XXXXXX")
trap 'rm -rf "$stage"' EXIT
tree=$stage/tree
mkdir "$tree"
cp -a "$root/etc/debian" "$tree/debian"
cp "$root/CHANGELOG.md" "$tree/CHANGELOG.md"
control=$(cat "$root/etc/debian/control")
printf '%s\n' "${control//@MAINTAINER@/"$maintainer"}" >"$tree/debian/control"
cat >"$tree/debian/changelog" <<END
gallery ($version) unstable; urgency=medium

  * Version $upstream. The upstream changelog lists the changes.

 -- $maintainer  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
END
printf 'package: making the packages of version %s\n' "$version"
(
    cd "$tree"
    export DEB_RULES_REQUIRES_ROOT=no GALLERY_BUILD_IS_FINISHED=yes GALLERY_BUILD=$build GALLERY_SERIES=$series GALLERY_VERSION=$version
    debian/rules binary
) >"$stage/log" 2>&1 || {
    cat "$stage/log" >&2
    exit 1
}
program=$(sed -n 's/^ExecStart=//p' "$tree/debian/gallery-server.gallery.service")
[ "$program" = /usr/bin/gallery-server ] || fail "the service would start $program, because another installation ran: repeat"
mkdir -p "$output"
rm -f "$output"/gallery-*_"$version"_*.deb
mv "$stage"/gallery-*_"$version"_*.deb "$output/"
lintian --allow-root --fail-on error --suppress-tags initial-upload-closes-no-bugs "$output"/gallery-*_"$version"_*.deb
printf 'package: '
ls "$output"/gallery-*_"$version"_*.deb
printf 'package: install the server with: apt install %s\n' "$output"/gallery-server_"$version"_*.deb
