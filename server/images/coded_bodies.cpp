// SPDX-License-Identifier: Apache-2.0
#include "images/coded_bodies.hpp"

#include "coding/compress.hpp"
#include "turns/fair_turns.hpp"

#include <gallery/bounded_lru.hpp>
#include <gallery/mutex.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gallery::images {

struct coded_bodies::state {
    using key = std::pair<sha256_digest, content_coding>;
    struct key_hash {
        std::size_t operator()(const key& name) const noexcept {
            return digest_hash{}(name.first) + static_cast<std::size_t>(name.second);
        }
    };
    static constexpr std::size_t entry_overhead = 256;  // node, place in the table, and their bookkeeping

    // A form in progress, and the other callers that wait for it.
    struct making {
        std::vector<resumption<result<coded_body>>> waiting;
        std::optional<result<coded_body>> outcome;
    };

    state(asio::thread_pool& workers, std::size_t max_bytes) : pool(workers), kept(max_bytes) {}

    asio::thread_pool& pool;
    /// A drawing of many megabytes takes a second, which is worth it only where nobody waits long for it.
    fair_turns<tenant_id> turns{"images to compress", {.at_once = 2, .waiting_per_user = 4, .waiting = 16}};
    mutable gallery::mutex mutex;  // also guards the members of making
    std::map<key, std::shared_ptr<making>> under_way GALLERY_GUARDED_BY(mutex);
    bounded_lru<key, coded_body, key_hash> kept GALLERY_GUARDED_BY(mutex);
    bool is_stopped GALLERY_GUARDED_BY(mutex) = false;

    static error not_compressed() {
        return {errc::unavailable, "The server is stopping. The image was not compressed."};
    }

    void finish(const key& name, making& made, result<coded_body> outcome) {
        const lock_guard lock(mutex);
        if (outcome) kept.put(name, *outcome, outcome->data.size() + entry_overhead);
        for (auto& each : made.waiting)
            each.complete(outcome);
        made.waiting.clear();
        made.outcome = std::move(outcome);
        under_way.erase(name);
    }

    void wait_for(making& made, resumption<result<coded_body>> waiting) {
        const lock_guard lock(mutex);
        if (made.outcome) return waiting.complete(*made.outcome);
        if (is_stopped) return waiting.complete(not_compressed());
        made.waiting.push_back(std::move(waiting));
    }

    task<result<coded_body>> make(tenant_id owner, content_coding coding, load fetch) {
        const auto turn = co_await turns.take(owner);
        if (!turn) co_return turn.error();
        auto plain = co_await fetch();
        if (!plain) co_return plain.error();
        auto work = [content = std::move(*plain), coding]() -> result<coded_body> {
            const auto loaded = content.load();
            if (!loaded) return error{errc::io_error, "a stored body could not be read to compress it"};
            auto compressed = compress(loaded->view(), coding, effort::on_request);
            coded_body made;
            if (compressed) {
                made.etag = sha256(*compressed);
                made.data = bytes::own(std::move(*compressed));
            }
            return made;
        };
        co_return co_await offload(pool, std::move(work));
    }
};

coded_bodies::coded_bodies(asio::thread_pool& pool, std::size_t max_bytes)
    : state_(std::make_unique<state>(pool, max_bytes)) {}
coded_bodies::~coded_bodies() = default;

task<result<coded_body>> coded_bodies::get(tenant_id owner, sha256_digest etag, content_coding coding,
                                           load fetch) {
    const state::key name{etag, coding};
    std::shared_ptr<state::making> made;
    bool is_first = false;
    {
        const lock_guard lock(state_->mutex);
        if (const auto* known = state_->kept.find(name)) co_return known->value;
        auto& place = state_->under_way[name];
        is_first = !place;
        if (is_first) place = std::make_shared<state::making>();
        made = place;
    }
    if (!is_first) {
        auto start = [this, &made](resumption<result<coded_body>> waiting) {
            state_->wait_for(*made, std::move(waiting));
        };
        auto shared = co_await suspend<result<coded_body>>(std::move(start));
        if (shared || is_crowded(shared.error()) || shared.error().code == errc::unavailable)
            co_return shared;
        // The same drawing of another tenant may be damaged, and this one's not.
        co_return co_await state_->make(owner, coding, std::move(fetch));
    }
    try {
        auto outcome = co_await state_->make(owner, coding, std::move(fetch));
        state_->finish(name, *made, outcome);
        co_return outcome;
    } catch (...) {
        state_->finish(name, *made, error{errc::internal, "compressing a stored body failed"});
        throw;
    }
}

void coded_bodies::stop() {
    state_->turns.stop();
    const lock_guard lock(state_->mutex);
    state_->is_stopped = true;
    for (const auto& [name, made] : state_->under_way) {
        for (auto& each : made->waiting)
            each.complete(state::not_compressed());
        made->waiting.clear();
    }
}

std::size_t coded_bodies::memory() const {
    const lock_guard lock(state_->mutex);
    return state_->kept.cost();
}

}  // namespace gallery::images
