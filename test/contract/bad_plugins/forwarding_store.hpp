// SPDX-License-Identifier: Apache-2.0
/// An engine that does what the reference engine does. Each bad plugin departs from it in one thing.
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

/// The engine and its three parts in one object.
class forwarding_store : public storage_engine,
                         public image_store,
                         public document_store,
                         public change_feed {
public:
    image_store& images() noexcept override { return *this; }
    document_store& documents() noexcept override { return *this; }
    change_feed& feed() noexcept override { return *this; }
    task<result<check_report>> check() override { return inner_->check(); }
    [[nodiscard]] write_state writing() const override { return inner_->writing(); }
    [[nodiscard]] std::vector<statistic> statistics() const override { return inner_->statistics(); }

    task<result<record_ptr>> find(tenant_id tenant, std::string key) override {
        return inner().find(tenant, std::move(key));
    }
    task<result<record_ptr>> find_by_id(image_id id) override { return inner().find_by_id(id); }
    task<result<record_ptr>> find_by_public_key(std::string public_key) override {
        return inner().find_by_public_key(std::move(public_key));
    }
    task<result<std::vector<record_ptr>>> find_by_content(tenant_id tenant, sha256_digest etag) override {
        return inner().find_by_content(tenant, etag);
    }
    task<result<body>> read(record_ptr record, representation which) override {
        return inner().read(std::move(record), which);
    }
    task<result<image_page>> list(image_query query) override { return inner().list(std::move(query)); }
    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,
                                             std::size_t limit) override {
        return inner().scan(tenant, std::move(cursor), limit);
    }
    task<result<tenant_usage>> usage(std::optional<tenant_id> tenant) override {
        return inner().usage(tenant);
    }
    task<result<scan_page<kept_version>>> kept(std::optional<tenant_id> tenant, kept_order order,
                                               std::string cursor, std::size_t limit) override {
        return inner().kept(tenant, order, std::move(cursor), limit);
    }
    task<result<scan_page<kept_version>>> kept_of(image_id id, std::string cursor,
                                                  std::size_t limit) override {
        return inner().kept_of(id, std::move(cursor), limit);
    }
    task<result<kept_version>> find_kept(image_id id, revision content_rev) override {
        return inner().find_kept(id, content_rev);
    }
    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     write_rules rules) override {
        return inner().save(std::move(record), std::move(original), std::move(preview), rules);
    }
    task<result<write_outcome>> update(image_record record, precondition condition) override {
        return inner().update(std::move(record), condition);
    }
    task<result<write_outcome>> erase(tenant_id tenant, std::string key, write_rules rules) override {
        return inner().erase(tenant, std::move(key), rules);
    }
    task<result<write_outcome>> save_kept(image_record record, body original, body preview,
                                          std::int64_t kept_time, bool is_erased) override {
        return inner().save_kept(std::move(record), std::move(original), std::move(preview), kept_time,
                                 is_erased);
    }
    task<result<write_outcome>> drop_kept(image_id id, revision content_rev) override {
        return inner().drop_kept(id, content_rev);
    }

    task<result<document>> find(std::string kind, std::string id) override {
        return inner_->documents().find(std::move(kind), std::move(id));
    }
    task<result<scan_page<document>>> scan(std::string kind, std::string cursor, std::size_t limit) override {
        return inner_->documents().scan(std::move(kind), std::move(cursor), limit);
    }
    task<result<documents_outcome>> write(std::vector<document_write> parts) override {
        return inner_->documents().write(std::move(parts));
    }

    task<result<change_batch>> changes(revision after, std::size_t limit) override {
        return inner_->feed().changes(after, limit);
    }
    task<result<revision>> last() override { return inner_->feed().last(); }
    void on_change(std::function<void()> notify) override { inner_->feed().on_change(std::move(notify)); }

protected:
    [[nodiscard]] image_store& inner() noexcept { return inner_->images(); }

private:
    std::unique_ptr<storage_engine> inner_ = make_memory_engine();
};

/// create() of a plugin whose store opens and then misbehaves.
template <class Store>
result<std::unique_ptr<storage_engine>> create(const plugin_context&) noexcept {
    return std::unique_ptr<storage_engine>(std::make_unique<Store>());
}

}  // namespace gallery::bad
