// SPDX-License-Identifier: Apache-2.0
// Says that an erasure was committed, and erases nothing.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class forgets_to_erase final : public forwarding_store {
public:
    task<result<write_outcome>> erase(tenant_id tenant, std::string key, write_rules rules) override {
        const auto found = co_await inner().find(tenant, std::move(key));
        if (!found) co_return write_outcome{write_status::absent, 0, nullptr};
        if (!rules.condition.holds((*found)->rev))
            co_return write_outcome{write_status::conflict, (*found)->rev, *found};
        co_return write_outcome{write_status::committed, (*found)->rev + 1, nullptr};
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER,    "forgets_to_erase", "1", "{}", false,
                                          &create<forgets_to_erase>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
