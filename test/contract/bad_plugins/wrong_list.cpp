// SPDX-License-Identifier: Apache-2.0
// Lists in the wrong order and counts wrongly.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class wrong_list final : public forwarding_store {
public:
    task<result<image_page>> list(image_query query) override {
        query.descending = !query.descending;
        auto page = co_await inner().list(query);
        if (page) ++page->total;
        co_return page;
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "wrong_list", "1", "{}", false,
                                          &create<wrong_list>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
