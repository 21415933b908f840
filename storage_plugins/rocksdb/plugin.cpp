// SPDX-License-Identifier: Apache-2.0
// The plugin's one visible function.
#include "options.hpp"
#include "store.hpp"

#include <gallery/plugin.hpp>

#include <rocksdb/version.h>

#define ROCKS_TEXT_(x) #x
#define ROCKS_TEXT(x) ROCKS_TEXT_(x)

namespace {

gallery::result<std::unique_ptr<gallery::storage_engine>> create(
    const gallery::plugin_context& context) noexcept {
    return gallery::rocks::guarded([&] { return gallery::rocks::store::open(context); });
}

const gallery::plugin_descriptor descriptor = {
    GALLERY_PLUGIN_HEADER,
    "rocksdb",
    GALLERY_VERSION
    " (RocksDB " ROCKS_TEXT(ROCKSDB_MAJOR) "." ROCKS_TEXT(ROCKSDB_MINOR) "." ROCKS_TEXT(ROCKSDB_PATCH) ")",
    gallery::rocks::options_schema,
    false,
    &create,
    true};

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
