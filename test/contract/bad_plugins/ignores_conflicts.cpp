// SPDX-License-Identifier: Apache-2.0
// Writes whatever the precondition says.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class ignores_conflicts final : public forwarding_store {
public:
    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     write_rules rules) override {
        rules.condition = precondition::any();
        return inner().save(std::move(record), std::move(original), std::move(preview), rules);
    }
    task<result<write_outcome>> update(image_record record, precondition) override {
        return inner().update(std::move(record), precondition::any());
    }
    task<result<write_outcome>> erase(tenant_id tenant, std::string key, write_rules rules) override {
        rules.condition = precondition::any();
        return inner().erase(tenant, std::move(key), rules);
    }
    task<result<documents_outcome>> write(std::vector<document_write> parts) override {
        for (auto& part : parts)
            part.condition = precondition::any();
        return forwarding_store::write(std::move(parts));
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER,     "ignores_conflicts", "1", "{}", false,
                                          &create<ignores_conflicts>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
