#include "memory_store.hpp"

#include "index/catalog.hpp"
#include "index/documents.hpp"
#include "index/feed.hpp"
#include "index/rules.hpp"

#include <gallery/task.hpp>

#include <mutex>
#include <utility>

namespace gallery {
namespace {

using store_index::stored;

struct bodies final : store_index::attachment {
    bytes original;
    bytes preview;
};

class memory_store final : public image_store {
public:
    ~memory_store() override { pool_.join(); }

    task<result<record_ptr>> find(tenant_id tenant, std::string key) override {
        auto found = catalog_.find(tenant, key);
        if (!found) co_return store_index::no_such_image(tenant, key);
        co_return std::move(found.record);
    }

    task<result<record_ptr>> find_by_id(image_id id) override {
        auto found = catalog_.find_by_id(id);
        if (!found) co_return error{errc::not_found, "There is no image with the id " + to_string(id) + "."};
        co_return std::move(found.record);
    }

    task<result<record_ptr>> find_by_public_key(std::string public_key) override {
        auto found = catalog_.find_by_public_key(public_key);
        if (!found)
            co_return error{errc::not_found, "There is no image with the public key " + public_key + "."};
        co_return std::move(found.record);
    }

    task<result<body>> read(record_ptr record, representation which) override {
        const auto found = catalog_.find(record->tenant, record->key);
        if (!found || found.record->content_rev != record->content_rev)
            co_return store_index::stale_record(*record);
        const auto& kept = static_cast<const bodies&>(*found.extra);
        co_return which == representation::preview && !record->preview_is_original ? kept.preview
                                                                                   : kept.original;
    }

    std::optional<record_ptr> find_now(const tenant_id& tenant, std::string_view key) override {
        auto found = catalog_.find(tenant, key);
        if (!found) return std::nullopt;
        return std::move(found.record);
    }

    std::optional<record_ptr> find_by_public_key_now(std::string_view public_key) override {
        auto found = catalog_.find_by_public_key(public_key);
        if (!found) return std::nullopt;
        return std::move(found.record);
    }

    std::optional<body> read_now(const image_record& record, representation which) override {
        const auto found = catalog_.find(record.tenant, record.key);
        if (!found || found.record->content_rev != record.content_rev) return std::nullopt;
        const auto& kept = static_cast<const bodies&>(*found.extra);
        return which == representation::preview && !record.preview_is_original ? kept.preview : kept.original;
    }

    task<result<image_page>> list(image_query query) override { co_return catalog_.list(query); }

    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,
                                             std::size_t limit) override {
        co_return catalog_.scan(tenant, cursor, limit);
    }

    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     precondition condition) override {
        if (auto wrong = store_index::refuse_save(record, original, preview)) co_return std::move(*wrong);
        if (record.preview_is_original) preview = bytes{};
        if (original.memory() == nullptr || preview.memory() == nullptr) {
            auto load = [parts = std::pair(std::move(original), std::move(preview))] {
                return std::pair(parts.first.load(), parts.second.load());
            };
            auto loaded = co_await offload(pool_, std::move(load));
            if (!loaded.first || !loaded.second)
                co_return error{errc::io_error, "The bytes to save could not be read."};
            original = *loaded.first;
            preview = *loaded.second;
        }

        const std::lock_guard lock(writing_);
        const auto current = catalog_.find(record.tenant, record.key);
        if (!condition.holds(rev_of(current))) co_return conflict(current);
        if (const auto owner = catalog_.find_by_id(record.id); owner && !same_key(*owner.record, record))
            co_return store_index::id_taken(record, *owner.record);
        if (const auto owner = catalog_.find_by_public_key(record.public_key);
            owner && !same_key(*owner.record, record))
            co_return write_outcome{write_status::public_key_taken, rev_of(current), nullptr};

        record.rev = record.content_rev = ++newest_;
        auto kept = std::make_shared<bodies>();
        kept->original = *original.memory();
        kept->preview = *preview.memory();
        stored fresh{std::make_shared<const image_record>(std::move(record)), std::move(kept)};
        catalog_.put(fresh);
        publish(store_index::image_change(change::kind::image_saved, *fresh.record, newest_));
        co_return write_outcome{write_status::committed, newest_, fresh.record};
    }

    task<result<write_outcome>> update(image_record record, precondition condition) override {
        const std::lock_guard lock(writing_);
        const auto current = catalog_.find(record.tenant, record.key);
        if (!condition.holds(rev_of(current)) && current) co_return conflict(current);
        if (!current) co_return write_outcome{write_status::absent, 0, nullptr};
        ++newest_;
        stored fresh{
            std::make_shared<const image_record>(store_index::updated(*current.record, record, newest_)),
            current.extra};
        catalog_.put(fresh);
        publish(store_index::image_change(change::kind::image_updated, *fresh.record, newest_));
        co_return write_outcome{write_status::committed, newest_, fresh.record};
    }

    task<result<write_outcome>> erase(tenant_id tenant, std::string key, precondition condition) override {
        const std::lock_guard lock(writing_);
        const auto current = catalog_.find(tenant, key);
        if (!current) co_return write_outcome{write_status::absent, 0, nullptr};
        if (!condition.holds(rev_of(current))) co_return conflict(current);
        catalog_.erase(tenant, key);
        ++newest_;
        publish(store_index::image_change(change::kind::image_erased, *current.record, newest_));
        co_return write_outcome{write_status::committed, newest_, nullptr};
    }

    task<result<document>> find_document(std::string kind, std::string id) override {
        auto found = documents_.find(kind, id);
        if (!found) co_return error{errc::not_found, "There is no document " + kind + "/" + id + "."};
        co_return std::move(*found);
    }

    task<result<scan_page<document>>> scan_documents(std::string kind, std::string cursor,
                                                     std::size_t limit) override {
        co_return documents_.scan(kind, cursor, limit);
    }

    task<result<write_outcome>> save_document(document doc, precondition condition) override {
        if (auto wrong = store_index::refuse_document(doc)) co_return std::move(*wrong);
        const std::lock_guard lock(writing_);
        const auto current = documents_.find_revision(doc.kind, doc.id);
        if (!condition.holds(current)) co_return write_outcome{write_status::conflict, current, nullptr};
        doc.rev = ++newest_;
        auto entry = store_index::document_change(change::kind::document_saved, doc.kind, doc.id, newest_);
        documents_.put(std::move(doc));
        publish(std::move(entry));
        co_return write_outcome{write_status::committed, newest_, nullptr};
    }

    task<result<write_outcome>> erase_document(std::string kind, std::string id,
                                               precondition condition) override {
        const std::lock_guard lock(writing_);
        const auto current = documents_.find_revision(kind, id);
        if (current == 0) co_return write_outcome{write_status::absent, 0, nullptr};
        if (!condition.holds(current)) co_return write_outcome{write_status::conflict, current, nullptr};
        documents_.erase(kind, id);
        publish(store_index::document_change(change::kind::document_erased, kind, id, ++newest_));
        co_return write_outcome{write_status::committed, newest_, nullptr};
    }

    task<result<change_batch>> changes(revision after, std::size_t limit) override {
        co_return feed_.after(after, limit);
    }

    task<result<revision>> last_change() override { co_return feed_.last(); }

    void on_change(std::function<void()> notify) override { notify_ = std::move(notify); }

    task<result<check_report>> check() override {
        const std::lock_guard lock(writing_);
        check_report report;
        report.records = catalog_.size();
        report.index_entries = catalog_.verify(report.problems);
        report.documents = documents_.size();
        co_return report;
    }

    [[nodiscard]] std::vector<std::pair<std::string, double>> statistics() const override {
        return {{"images", static_cast<double>(catalog_.size())},
                {"documents", static_cast<double>(documents_.size())},
                {"changes_kept", static_cast<double>(feed_.size())}};
    }

private:
    static revision rev_of(const stored& item) { return item ? item.record->rev : 0; }
    static bool same_key(const image_record& a, const image_record& b) {
        return a.tenant == b.tenant && a.key == b.key;
    }
    static write_outcome conflict(const stored& current) {
        return {write_status::conflict, rev_of(current), current.record};
    }
    void publish(change entry) {
        feed_.append(std::move(entry));
        if (notify_) notify_();
    }

    std::mutex writing_;  ///< held from precondition to publication
    revision newest_ = 0;
    store_index::catalog catalog_;
    store_index::documents documents_;
    store_index::feed feed_;
    std::function<void()> notify_;
    asio::thread_pool pool_{1};  ///< for bodies that arrive as files
};

}  // namespace

std::unique_ptr<image_store> make_memory_store() {
    return std::make_unique<memory_store>();
}

}  // namespace gallery
