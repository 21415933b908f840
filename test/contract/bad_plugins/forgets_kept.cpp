// SPDX-License-Identifier: Apache-2.0
// Says that what was replaced or erased is kept, and drops it.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class forgets_kept final : public forwarding_store {
public:
    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     write_rules rules) override {
        const auto before = co_await inner().find(record.tenant, record.key);
        const bool keeps = rules.previous.is_kept();
        rules.previous = previous_version::drop();
        auto outcome =
            co_await inner().save(std::move(record), std::move(original), std::move(preview), rules);
        if (outcome && keeps && before) outcome->kept = (*before)->content_rev;
        co_return outcome;
    }
    task<result<write_outcome>> erase(tenant_id tenant, std::string key, write_rules rules) override {
        const auto before = co_await inner().find(tenant, key);
        const bool keeps = rules.previous.is_kept();
        rules.previous = previous_version::drop();
        auto outcome = co_await inner().erase(tenant, std::move(key), rules);
        if (outcome && keeps && before) outcome->kept = (*before)->content_rev;
        co_return outcome;
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "forgets_kept", "1", "{}", false,
                                          &create<forgets_kept>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
