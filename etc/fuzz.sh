#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs libFuzzer on the parsers of input from clients and operators: HTTP, forms, imports, tokens, images,
# configuration. It is not part of the tests; the tests replay test/fuzz/corpus.
#
#   etc/fuzz.sh                   each target for a minute
#   etc/fuzz.sh TARGET [SECONDS]  one target; SECONDS 0: until something is found
#
# Requires clang with its runtime (apt-get install clang libclang-rt-14-dev) and a build (etc/test.sh). New inputs
# are stored in build/fuzz/corpus and findings in build/fuzz/found/<target>-... After the fix, copy the finding to
# test/fuzz/corpus/<target>, so that the tests replay it.
# Exit code: 0 nothing found, 1 something found, 77 clang or the build is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=build/fuzz
release=build/release

clang=""
for name in clang++ clang++-14; do
    if command -v "$name" >/dev/null; then clang=$name; fi
done
if [ -z "$clang" ]; then
    echo "fuzz: clang is missing: apt-get install clang libclang-rt-14-dev" >&2
    exit 77
fi
if [ ! -f "$release/common/include/gallery/abi_headers.hpp" ]; then
    echo "fuzz: there is no $release; build first (etc/test.sh)" >&2
    exit 77
fi

formats=server/imaging/worker/formats
sources=(
    test/fuzz/{fuzzer,http_targets,request_target,document_targets,limit_targets}.cpp
    common/src/{asio,bytes,error,sha256,text,uuid}.cpp
    server/http/{body_reader,chunk_grammar,conditional,content_coding,disposition,errors,fields,forwarded,head_parser}.cpp
    server/http/{head_validation,http_date,media_type,multipart,percent,query,range,request,request_id,request_input,request_parser,response}.cpp
    server/auth/{jwt,random}.cpp
    server/accounts/{profile_data,rate_format}.cpp
    server/config/{bindings,document,load,nearest,payload_limits,substitute,values}.cpp
    "$release/server/config/default_document.cpp"
    server/images/{embedded_pictures,json_strings,json_text,keys,picture_decoder,resource_export,tags}.cpp
    server/imaging/{sniff,svg_metadata,xml}.cpp
    "$formats"/{area_scaler,dib,gif,ico,png,refusal}.cpp
)
# shellcheck disable=SC2054
flags=(
    -std=c++20 -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined
    -fno-sanitize-recover=all -Wno-unknown-warning-option
    # libstdc++ requires a macro that only later versions of clang define.
    -D__cpp_impl_coroutine=201902L -fcoroutines-ts
    -DBOOST_ASIO_SEPARATE_COMPILATION -DBOOST_ASIO_NO_DEPRECATED -DBOOST_ASIO_DISABLE_BOOST_COROUTINE
    -DBOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=8
    -I common/include -I "$release/common/include" -I server -I test/fuzz
)

mkdir -p "$out/objects" "$out/corpus" "$out/found"
objects=()
stale=()
for source in "${sources[@]}"; do
    object="$out/objects/${source//\//_}.o"
    objects+=("$object")
    # Dependencies on headers are not tracked: if any header is newer, the file is compiled again.
    if [ ! -f "$object" ] || [ "$source" -nt "$object" ] ||
        [ -n "$(find common server test/fuzz -name '*.hpp' -newer "$object" -print -quit)" ]; then
        stale+=("$source" "$object")
    fi
done
if [ ${#stale[@]} -gt 0 ]; then
    echo "fuzz: compiling $((${#stale[@]} / 2)) files with $clang"
    # shellcheck disable=SC2016
    printf '%s\0' "${stale[@]}" |
        xargs -0 -n 2 -P "$(nproc)" bash -c '"${@:1:$#-2}" -c "${*: -2:1}" -o "${!#}"' _ "$clang" "${flags[@]}"
    rm -f "$out/fuzzer"
fi
[ -x "$out/fuzzer" ] ||
    "$clang" -fsanitize=fuzzer,address,undefined "${objects[@]}" -lboost_json -lyaml-cpp -licui18n -licuuc -lssl -lcrypto -lz \
        -pthread -o "$out/fuzzer"

mapfile -t targets < <(GALLERY_FUZZ_TARGET=list "$out/fuzzer")
[ ${#targets[@]} -gt 0 ] || { echo "fuzz: $out/fuzzer names no targets" >&2; exit 1; }
seconds=60
if [ $# -gt 0 ]; then targets=("$1"); fi
if [ $# -gt 1 ]; then seconds=$2; fi

broken=()
for target in "${targets[@]}"; do
    echo "== $target"
    mkdir -p "$out/corpus/$target"
    seeds=()
    if [ -d "test/fuzz/corpus/$target" ]; then seeds=("test/fuzz/corpus/$target"); fi
    GALLERY_FUZZ_TARGET=$target "$out/fuzzer" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -verbosity=0 -print_funcs=0 -artifact_prefix="$out/found/$target-" \
        "$out/corpus/$target" "${seeds[@]}" || broken+=("$target")
done
if [ ${#broken[@]} -gt 0 ]; then
    echo "fuzz: found something in: ${broken[*]}; see $out/found" >&2
    exit 1
fi
