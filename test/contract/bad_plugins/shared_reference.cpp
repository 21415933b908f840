// SPDX-License-Identifier: Apache-2.0
// A store that may be opened several times in one process: every opening of the same name has the same
// content. It keeps the contract, and stands for an engine whose stores several processes share.
#include "forwarding_store.hpp"

#include <list>
#include <map>
#include <mutex>

namespace gallery::bad {
namespace {

/// One store and those who listen to it.
struct shared_store {
    std::unique_ptr<storage_engine> engine = make_memory_engine();
    std::mutex mutex;
    std::list<std::function<void()>> listeners;  ///< guarded by mutex

    shared_store() {
        engine->feed().on_change([this] {
            const std::lock_guard lock(mutex);
            for (const auto& listener : listeners)
                if (listener) listener();
        });
    }
};

std::shared_ptr<shared_store> store_of(const std::string& name) {
    static std::mutex mutex;
    static std::map<std::string, std::weak_ptr<shared_store>> all;
    const std::lock_guard lock(mutex);
    auto& place = all[name];
    auto found = place.lock();
    if (!found) place = found = std::make_shared<shared_store>();
    return found;
}

class opening_feed final : public change_feed {
public:
    explicit opening_feed(shared_store& store) : store_(store) {
        const std::lock_guard lock(store_.mutex);
        place_ = store_.listeners.emplace(store_.listeners.end());
    }
    ~opening_feed() override {
        const std::lock_guard lock(store_.mutex);
        store_.listeners.erase(place_);
    }
    task<result<change_batch>> changes(revision after, std::size_t limit) override {
        return store_.engine->feed().changes(after, limit);
    }
    task<result<revision>> last() override { return store_.engine->feed().last(); }
    void on_change(std::function<void()> notify) override {
        const std::lock_guard lock(store_.mutex);
        *place_ = std::move(notify);
    }

private:
    shared_store& store_;
    std::list<std::function<void()>>::iterator place_;
};

class opening final : public storage_engine {
public:
    explicit opening(std::shared_ptr<shared_store> store) : store_(std::move(store)) {}

    image_store& images() noexcept override { return store_->engine->images(); }
    document_store& documents() noexcept override { return store_->engine->documents(); }
    change_feed& feed() noexcept override { return feed_; }
    task<result<check_report>> check() override { return store_->engine->check(); }
    [[nodiscard]] std::vector<statistic> statistics() const override { return store_->engine->statistics(); }

private:
    std::shared_ptr<shared_store> store_;
    opening_feed feed_{*store_};
};

result<std::unique_ptr<storage_engine>> open_shared(const plugin_context& context) noexcept {
    return std::unique_ptr<storage_engine>(std::make_unique<opening>(store_of(context.options.at("name"))));
}

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "shared_reference", "1", R"({
    "name": {"type": "text", "default": "", "description": "Names the store."}
})", true,
                                          &open_shared};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
