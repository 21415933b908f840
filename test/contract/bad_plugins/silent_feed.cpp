// SPDX-License-Identifier: Apache-2.0
// Never tells of a change.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class silent_feed final : public forwarding_store {
public:
    task<result<change_batch>> changes(revision after, std::size_t) override {
        change_batch none;
        none.next = after;
        co_return none;
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "silent_feed", "1", "{}", false,
                                          &create<silent_feed>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
