/// A store that does what the reference engine does. Each bad plugin departs from it in one thing.
#pragma once

#include "memory/memory_store.hpp"

#include <gallery/plugin.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gallery::bad {

class forwarding_store : public image_store {
public:
    task<result<record_ptr>> find(tenant_id tenant, std::string key) override {
        return inner_->find(tenant, std::move(key));
    }
    task<result<record_ptr>> find_by_id(image_id id) override { return inner_->find_by_id(id); }
    task<result<record_ptr>> find_by_public_key(std::string public_key) override {
        return inner_->find_by_public_key(std::move(public_key));
    }
    task<result<body>> read(record_ptr record, representation which) override {
        return inner_->read(std::move(record), which);
    }
    task<result<image_page>> list(image_query query) override { return inner_->list(std::move(query)); }
    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,
                                             std::size_t limit) override {
        return inner_->scan(tenant, std::move(cursor), limit);
    }
    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     precondition condition) override {
        return inner_->save(std::move(record), std::move(original), std::move(preview), condition);
    }
    task<result<write_outcome>> update(image_record record, precondition condition) override {
        return inner_->update(std::move(record), condition);
    }
    task<result<write_outcome>> erase(tenant_id tenant, std::string key, precondition condition) override {
        return inner_->erase(tenant, std::move(key), condition);
    }
    task<result<document>> find_document(std::string kind, std::string id) override {
        return inner_->find_document(std::move(kind), std::move(id));
    }
    task<result<scan_page<document>>> scan_documents(std::string kind, std::string cursor,
                                                     std::size_t limit) override {
        return inner_->scan_documents(std::move(kind), std::move(cursor), limit);
    }
    task<result<write_outcome>> save_document(document doc, precondition condition) override {
        return inner_->save_document(std::move(doc), condition);
    }
    task<result<write_outcome>> erase_document(std::string kind, std::string id,
                                               precondition condition) override {
        return inner_->erase_document(std::move(kind), std::move(id), condition);
    }
    task<result<change_batch>> changes(revision after, std::size_t limit) override {
        return inner_->changes(after, limit);
    }
    task<result<revision>> last_change() override { return inner_->last_change(); }
    void on_change(std::function<void()> notify) override { inner_->on_change(std::move(notify)); }
    task<result<check_report>> check() override { return inner_->check(); }
    [[nodiscard]] write_state writing() const override { return inner_->writing(); }
    [[nodiscard]] std::vector<std::pair<std::string, double>> statistics() const override {
        return inner_->statistics();
    }

protected:
    [[nodiscard]] image_store& inner() noexcept { return *inner_; }

private:
    std::unique_ptr<image_store> inner_ = make_memory_store();
};

/// create() of a plugin whose store opens and then misbehaves.
template <class Store>
result<std::unique_ptr<image_store>> create(const plugin_context&) noexcept {
    return std::unique_ptr<image_store>(std::make_unique<Store>());
}

}  // namespace gallery::bad
