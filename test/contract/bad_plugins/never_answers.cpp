// SPDX-License-Identifier: Apache-2.0
// Waits for ever when it is asked for a picture, without holding the thread.
#include "forwarding_store.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace gallery::bad {
namespace {

class never_answers final : public forwarding_store {
public:
    using forwarding_store::find;
    task<result<record_ptr>> find(tenant_id tenant, std::string key) override {
        asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await never.async_wait(use_task);
        co_return co_await inner().find(tenant, std::move(key));
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "never_answers", "1", "{}", false,
                                          &create<never_answers>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
