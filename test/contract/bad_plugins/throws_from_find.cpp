// SPDX-License-Identifier: Apache-2.0
// Lets an exception cross the contract.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class throws_from_find final : public forwarding_store {
public:
    using forwarding_store::find;
    task<result<record_ptr>> find(tenant_id, std::string) override {
        throw std::runtime_error("find() of a bad plugin throws");
        co_return error{};
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER,    "throws_from_find", "1", "{}", false,
                                          &create<throws_from_find>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
