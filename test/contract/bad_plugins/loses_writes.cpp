// SPDX-License-Identifier: Apache-2.0
// Says that a save was committed, and keeps nothing.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class loses_writes final : public forwarding_store {
public:
    task<result<write_outcome>> save(image_record record, body, body, write_rules) override {
        record.rev = record.content_rev = ++last_;
        co_return write_outcome{write_status::committed, record.rev,
                                std::make_shared<const image_record>(record)};
    }

private:
    revision last_ = 0;
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "loses_writes", "1", "{}", false,
                                          &create<loses_writes>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
