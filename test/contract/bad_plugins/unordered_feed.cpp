// SPDX-License-Identifier: Apache-2.0
// Has a feed that runs backwards.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class unordered_feed final : public forwarding_store {
public:
    task<result<change_batch>> changes(revision after, std::size_t limit) override {
        auto batch = co_await forwarding_store::changes(after, limit);
        if (batch) std::reverse(batch->changes.begin(), batch->changes.end());
        co_return batch;
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER,  "unordered_feed", "1", "{}", false,
                                          &create<unordered_feed>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
