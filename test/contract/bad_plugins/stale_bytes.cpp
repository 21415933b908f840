// SPDX-License-Identifier: Apache-2.0
// Answers a record that was replaced with the bytes of the current one.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class stale_bytes final : public forwarding_store {
public:
    task<result<body>> read(record_ptr record, representation which) override {
        auto current = co_await inner().find(record->tenant, record->key);
        if (!current) co_return current.error();
        co_return co_await inner().read(*current, which);
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "stale_bytes", "1", "{}", false,
                                          &create<stale_bytes>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
