// SPDX-License-Identifier: Apache-2.0
// Returns other bytes than were saved.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class wrong_bytes final : public forwarding_store {
public:
    task<result<body>> read(record_ptr record, representation which) override {
        auto got = co_await inner().read(std::move(record), which);
        if (!got || got->size() == 0) co_return got;
        const auto loaded = got->load();
        std::string text(loaded->view());
        text.back() = static_cast<char>(text.back() ^ 1);
        co_return body(bytes::own(std::move(text)));
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "wrong_bytes", "1", "{}", false,
                                          &create<wrong_bytes>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
