// SPDX-License-Identifier: Apache-2.0
// Cannot say whether it is sound.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class unsound final : public forwarding_store {
public:
    task<result<check_report>> check() override { co_return error{errc::busy, "No time to look."}; }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "unsound", "1", "{}", false,
                                          &create<unsound>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
