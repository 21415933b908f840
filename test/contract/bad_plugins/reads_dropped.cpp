// SPDX-License-Identifier: Apache-2.0
// Goes on answering the bytes of versions that were dropped.
#include "forwarding_store.hpp"

#include <map>
#include <mutex>

namespace gallery::bad {
namespace {

class reads_dropped final : public forwarding_store {
public:
    task<result<write_outcome>> drop_kept(image_id id, revision content_rev) override {
        const auto found = co_await inner().find_kept(id, content_rev);
        if (found) {
            const auto content = co_await inner().read(found->record, representation::original);
            const std::lock_guard lock(mutex_);
            if (content) dropped_.emplace(std::pair(id, content_rev), *content);
        }
        co_return co_await inner().drop_kept(id, content_rev);
    }
    task<result<body>> read(record_ptr record, representation which) override {
        {
            const std::lock_guard lock(mutex_);
            const auto found = dropped_.find({record->id, record->content_rev});
            if (found != dropped_.end() && which == representation::original) co_return found->second;
        }
        co_return co_await inner().read(std::move(record), which);
    }

private:
    std::mutex mutex_;
    std::map<std::pair<image_id, revision>, body> dropped_;
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "reads_dropped", "1", "{}", false,
                                          &create<reads_dropped>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
