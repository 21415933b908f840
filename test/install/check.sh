#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs a build into a folder of its own and uses what is there: the server and its unit file, then the
# component for authors of plugins alone, with which the example is built and held to the contract.
#
#   test/install/check.sh <cmake> <build folder>
set -euo pipefail
cmake=$1
build=$2
umask 022
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
fail() {
    printf 'install: %s\n' "$*" >&2
    exit 1
}

prefix=$place/all
"$cmake" --install "$build" --prefix "$prefix" >"$place/log" 2>&1 || fail "cmake --install: $(tail -5 "$place/log")"
version=$(cat "$(dirname "${BASH_SOURCE[0]}")/../../VERSION")
for program in gallery-server gallery-admin gallery-load; do
    shown=$("$prefix/bin/$program" --version) || fail "$program does not start"
    [ "$shown" = "$program $version" ] || fail "$program --version prints '$shown', but VERSION contains $version"
done
GALLERY_DATA=$place/data "$prefix/bin/gallery-server" --config "$prefix/share/gallery/gallery.yml" --check-config \
    >"$place/check" 2>&1 || fail "the configuration cannot be used: $(tail -5 "$place/check")"
grep -qF "the storage plugin is $prefix/lib/gallery/plugins/rocksdb.so" "$place/check" ||
    fail "another plugin than the installed one is used: $(tail -1 "$place/check")"

unit=$prefix/lib/systemd/system/gallery.service
program=$(sed -n 's/^ExecStart=//p' "$unit")
[ "$program" = "$prefix/bin/gallery-server" ] || fail "the unit file starts $program"
[ -x "$program" ] || fail "$program, which the unit file starts, is not there"
page=$(sed -n 's/^Documentation=.*file://p' "$unit")
[ -f "$page" ] || fail "$page, which the unit file names, is not there"
! grep -Eq '@[A-Z_]+@' "$unit" || fail "the unit file has a placeholder left"

prefix=$place/development
"$cmake" --install "$build" --prefix "$prefix" --component plugin-development >"$place/log" 2>&1 ||
    fail "cmake --install --component plugin-development: $(tail -5 "$place/log")"
common=$prefix/lib/gallery/libgallery_common.so
[ -e "$common" ] || fail "$common is missing"
kit=$prefix/lib/gallery/libgallery_kit.a
[ -e "$kit" ] || fail "$kit is missing"
CXXFLAGS=${CXXFLAGS-} "$prefix/share/gallery/plugin-development/build.sh" "$prefix/include" "$kit" "$common" \
    "$place/toy.so" || fail "the example plugin does not build"
"$prefix/bin/contract_suite" --plugin "$place/toy.so" --volatile --run_test=images/an_unknown_image_is_not_found \
    >"$place/suite" 2>&1 || fail "the suite does not run: $(tail -5 "$place/suite")"
grep -q 'No errors detected' "$place/suite" || fail "the suite did not run a test: $(tail -5 "$place/suite")"
