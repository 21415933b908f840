// SPDX-License-Identifier: Apache-2.0
// Writes the documents of a group one after the other.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class half_groups final : public forwarding_store {
public:
    task<result<documents_outcome>> write(std::vector<document_write> parts) override {
        documents_outcome all;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            std::vector<document_write> one(1, parts[i]);
            auto outcome = co_await forwarding_store::write(std::move(one));
            if (!outcome) co_return outcome.error();
            if (outcome->status != write_status::committed) {
                outcome->failed = i;
                co_return outcome;
            }
            all.revs.push_back(outcome->revs.at(0));
        }
        if (parts.empty()) co_return error{errc::invalid_argument, "There is nothing to write."};
        co_return all;
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "half_groups", "1", "{}", false,
                                          &create<half_groups>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
