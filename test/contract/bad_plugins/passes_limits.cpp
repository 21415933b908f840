// SPDX-License-Identifier: Apache-2.0
// Judges a limit by what it read a moment ago, so that several writers pass it together.
#include "forwarding_store.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>

namespace gallery::bad {
namespace {

class passes_limits final : public forwarding_store {
public:
    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     write_rules rules) override {
        const auto used = co_await inner().usage(record.tenant);
        if (!used) co_return used.error();
        const auto limit = std::exchange(rules.limit, usage_limit{});
        const auto there = co_await inner().find(record.tenant, record.key);
        auto after = used->images;
        if (there) {
            after.original_bytes -= (*there)->original.size;
        } else {
            ++after.count;
        }
        after.original_bytes += record.original.size;
        // Long enough that the others read the same figures.
        asio::steady_timer moment(co_await asio::this_coro::executor, std::chrono::milliseconds(20));
        co_await moment.async_wait(use_task);
        if (!limit.allows(used->images, after))
            co_return write_outcome{write_status::over_limit, there ? (*there)->rev : 0,
                                    there ? *there : nullptr};
        co_return co_await inner().save(std::move(record), std::move(original), std::move(preview), rules);
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "passes_limits", "1", "{}", false,
                                          &create<passes_limits>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
