// SPDX-License-Identifier: Apache-2.0
// Counts kept versions as images.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class wrong_usage final : public forwarding_store {
public:
    task<result<tenant_usage>> usage(std::optional<tenant_id> tenant) override {
        auto used = co_await inner().usage(tenant);
        if (used) used->images.count += used->kept.count;
        co_return used;
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "wrong_usage", "1", "{}", false,
                                          &create<wrong_usage>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
