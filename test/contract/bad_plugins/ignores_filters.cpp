// SPDX-License-Identifier: Apache-2.0
// Lists as if a query had no filter.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class ignores_filters final : public forwarding_store {
public:
    task<result<image_page>> list(image_query query) override {
        query.filter = {};
        return inner().list(std::move(query));
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER,   "ignores_filters", "1", "{}", false,
                                          &create<ignores_filters>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
