// SPDX-License-Identifier: Apache-2.0
#include "memory_store.hpp"

#include <gallery/kit/catalog.hpp>
#include <gallery/kit/documents.hpp>
#include <gallery/kit/feed.hpp>
#include <gallery/kit/figures.hpp>
#include <gallery/kit/rules.hpp>
#include <gallery/kit/usage_book.hpp>
#include <gallery/mutex.hpp>
#include <gallery/task.hpp>

#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

namespace gallery {
namespace {

using kit::stored;

struct bodies {
    bytes original;
    bytes preview;

    [[nodiscard]] const bytes& of(const image_record& record, representation which) const noexcept {
        return which == representation::preview && !record.preview_is_original ? preview : original;
    }
};

/// The bytes of all versions, current and kept, by their content_rev, which no two saves share. They are
/// added before the version can be found, and removed after it cannot be found any more. Thread-safe.
class body_shelf {
public:
    void add(revision content_rev, bodies content) {
        const lock_guard lock(mutex_);
        all_.emplace(content_rev, std::move(content));
    }
    void remove(revision content_rev) {
        const lock_guard lock(mutex_);
        all_.erase(content_rev);
    }
    [[nodiscard]] std::optional<body> find(const image_record& record, representation which) const {
        const lock_guard lock(mutex_);
        const auto found = all_.find(record.content_rev);
        if (found == all_.end()) return std::nullopt;
        return found->second.of(record, which);
    }

private:
    mutable mutex mutex_;
    std::unordered_map<revision, bodies> all_ GALLERY_GUARDED_BY(mutex_);
};

/// What the three parts of the store share.
struct shared_state {
    mutex writing;  ///< held from precondition to publication
    revision newest GALLERY_GUARDED_BY(writing) = 0;
    kit::feed changes;
    std::function<void()> notify;

    void publish(std::vector<change> entries) GALLERY_REQUIRES(writing) {
        changes.append(std::move(entries));
        if (notify) notify();
    }
    void publish(change entry) GALLERY_REQUIRES(writing) {
        changes.append(std::move(entry));
        if (notify) notify();
    }
};

class memory_images final : public image_store {
public:
    explicit memory_images(shared_state& shared) : shared_(shared) {}
    ~memory_images() override { pool_.join(); }

    task<result<record_ptr>> find(tenant_id tenant, std::string key) override {
        auto found = catalog_.find(tenant, key);
        if (!found) co_return kit::no_such_image(tenant, key);
        co_return std::move(found.record);
    }

    task<result<record_ptr>> find_by_id(image_id id) override {
        auto found = catalog_.find_by_id(id);
        if (!found) co_return kit::no_such_image(id);
        co_return std::move(found.record);
    }

    task<result<record_ptr>> find_by_public_key(std::string public_key) override {
        auto found = catalog_.find_by_public_key(public_key);
        if (!found) co_return kit::no_such_public_key(public_key);
        co_return std::move(found.record);
    }

    task<result<std::vector<record_ptr>>> find_by_content(tenant_id tenant, sha256_digest etag) override {
        co_return catalog_.find_by_content(tenant, etag);
    }

    task<result<body>> read(record_ptr record, representation which) override {
        auto found = read_now(*record, which);
        if (!found) co_return kit::stale_record(*record);
        co_return std::move(*found);
    }

    /// There is no other place than memory to read it from.
    task<result<void>> check_body(record_ptr record, representation which) override {
        if (!read_now(*record, which)) co_return kit::stale_record(*record);
        co_return result<void>();
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
        const auto found = catalog_.find_version(record);
        if (!found) return std::nullopt;
        return bodies_.find(record, which);
    }

    task<result<image_page>> list(image_query query) override { co_return catalog_.list(query); }

    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,
                                             std::size_t limit) override {
        co_return catalog_.scan(tenant, cursor, limit);
    }

    task<result<tenant_usage>> usage(std::optional<tenant_id> tenant) override {
        co_return usage_.usage(tenant);
    }

    task<result<scan_page<kept_version>>> kept(std::optional<tenant_id> tenant, kept_order order,
                                               std::string cursor, std::size_t limit) override {
        co_return catalog_.kept(tenant, order, cursor, limit);
    }

    task<result<scan_page<kept_version>>> kept_of(image_id id, std::string cursor,
                                                  std::size_t limit) override {
        co_return catalog_.kept_of(id, cursor, limit);
    }

    task<result<kept_version>> find_kept(image_id id, revision content_rev) override {
        auto found = catalog_.find_kept(id, content_rev);
        if (!found) co_return kit::no_such_version(id, content_rev);
        co_return std::move(found.version);
    }

    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     write_rules rules) override {
        if (auto wrong = kit::refuse_save(record, original, preview)) co_return std::move(*wrong);
        auto content = co_await loaded(std::move(original), std::move(preview), record.preview_is_original);
        if (!content) co_return content.error();

        const lock_guard lock(shared_.writing);
        const auto current = catalog_.find(record.tenant, record.key);
        if (!rules.condition.holds(rev_of(current)))
            co_return kit::refused(write_status::conflict, current.record);
        if (const auto owner = catalog_.find_by_id(record.id); owner && !same_key(*owner.record, record))
            co_return kit::id_taken(record, *owner.record);
        if (const auto owner = catalog_.find_by_public_key(record.public_key);
            owner && !same_key(*owner.record, record))
            co_return kit::refused(write_status::public_key_taken, current.record);
        const auto by = kit::usage_book::of_write(current.record.get(), &record, rules.previous);
        auto charged = usage_.take(record.tenant, by, rules.limit);
        if (!charged) co_return kit::refused(write_status::over_limit, current.record);

        record.rev = record.content_rev = ++shared_.newest;
        const stored fresh{std::make_shared<const image_record>(std::move(record))};
        const revision kept = current && rules.previous.is_kept() ? current.record->content_rev : 0;
        bodies_.add(shared_.newest, std::move(*content));
        catalog_.put(fresh, rules.previous);
        if (current && kept == 0) bodies_.remove(current.record->content_rev);
        charged->commit();
        shared_.publish(kit::image_change(change::kind::image_saved, *fresh.record, shared_.newest, kept));
        co_return write_outcome{write_status::committed, shared_.newest, fresh.record, kept};
    }

    task<result<write_outcome>> update(image_record record, precondition condition) override {
        const lock_guard lock(shared_.writing);
        const auto current = catalog_.find(record.tenant, record.key);
        if (!current) co_return kit::refused(write_status::absent, nullptr);
        if (!condition.holds(rev_of(current))) co_return kit::refused(write_status::conflict, current.record);
        ++shared_.newest;
        const stored fresh{
            std::make_shared<const image_record>(kit::updated(*current.record, record, shared_.newest))};
        catalog_.put(fresh);
        shared_.publish(kit::image_change(change::kind::image_updated, *fresh.record, shared_.newest));
        co_return write_outcome{write_status::committed, shared_.newest, fresh.record};
    }

    task<result<write_outcome>> erase(tenant_id tenant, std::string key, write_rules rules) override {
        const lock_guard lock(shared_.writing);
        const auto current = catalog_.find(tenant, key);
        if (!current) co_return kit::refused(write_status::absent, nullptr);
        if (!rules.condition.holds(rev_of(current)))
            co_return kit::refused(write_status::conflict, current.record);
        ++shared_.newest;
        const revision kept = rules.previous.is_kept() ? current.record->content_rev : 0;
        usage_.apply(tenant, kit::usage_book::of_write(current.record.get(), nullptr, rules.previous));
        catalog_.erase(tenant, key, rules.previous, shared_.newest);
        if (kept == 0) bodies_.remove(current.record->content_rev);
        shared_.publish(kit::image_change(change::kind::image_erased, *current.record, shared_.newest, kept));
        co_return write_outcome{write_status::committed, shared_.newest, nullptr, kept};
    }

    task<result<write_outcome>> save_kept(image_record record, body original, body preview,
                                          std::int64_t kept_time, bool is_erased) override {
        if (auto wrong = kit::refuse_save(record, original, preview)) co_return std::move(*wrong);
        auto content = co_await loaded(std::move(original), std::move(preview), record.preview_is_original);
        if (!content) co_return content.error();

        const lock_guard lock(shared_.writing);
        const revision rev = ++shared_.newest;
        record.rev = record.content_rev = rev;
        const auto kept = std::make_shared<const image_record>(std::move(record));
        usage_.apply(kept->tenant, kit::usage_book::of_keeping(*kept));
        bodies_.add(rev, std::move(*content));
        catalog_.put_kept({{kept, rev, kept_time, is_erased}});
        shared_.publish(kit::image_change(change::kind::version_kept, *kept, rev, rev));
        co_return write_outcome{write_status::committed, rev, kept, rev};
    }

    task<result<write_outcome>> drop_kept(image_id id, revision content_rev) override {
        const lock_guard lock(shared_.writing);
        const auto dropped = catalog_.drop_kept(id, content_rev);
        if (!dropped) co_return kit::refused(write_status::absent, nullptr);
        bodies_.remove(content_rev);
        const auto& record = *dropped.version.record;
        const revision rev = ++shared_.newest;
        usage_.apply(record.tenant, kit::usage_book::of_dropping(record));
        shared_.publish(kit::image_change(change::kind::version_dropped, record, rev, content_rev));
        co_return write_outcome{write_status::committed, rev, nullptr};
    }

    /// With shared_.writing held, which clang does not recognise as the mutex of the caller.
    void check(check_report& report) const {
        report.records = catalog_.size();
        report.kept_versions = catalog_.kept_size();
        report.index_entries = catalog_.verify(report.problems);
        if (catalog_.count_usage(std::nullopt) != usage_.usage(std::nullopt))
            report.problems.push_back("The usage of all tenants is not the sum over their images.");
        for (const auto& tenant : catalog_.tenants())
            if (catalog_.count_usage(tenant) != usage_.usage(tenant))
                report.problems.push_back("The usage of tenant " + to_string(tenant) +
                                          " is not the sum over its images.");
    }

    [[nodiscard]] std::size_t size() const { return catalog_.size(); }
    [[nodiscard]] std::size_t kept_size() const { return catalog_.kept_size(); }

private:
    static revision rev_of(const stored& item) { return item ? item.record->rev : 0; }
    static bool same_key(const image_record& a, const image_record& b) {
        return a.tenant == b.tenant && a.key == b.key;
    }

    /// Both bodies in memory; those that arrive as files are read on the pool.
    task<result<bodies>> loaded(body original, body preview, bool preview_is_original) {
        bodies content;
        if (preview_is_original) preview = bytes{};
        if (original.memory() == nullptr || preview.memory() == nullptr) {
            auto load = [parts = std::pair(std::move(original), std::move(preview))] {
                return std::pair(parts.first.load(), parts.second.load());
            };
            auto read = co_await offload(pool_, std::move(load));
            if (!read.first || !read.second)
                co_return error{errc::io_error, "The bytes to save cannot be read."};
            original = *read.first;
            preview = *read.second;
        }
        content.original = *original.memory();
        content.preview = *preview.memory();
        co_return content;
    }

    shared_state& shared_;
    kit::catalog catalog_;
    body_shelf bodies_;
    kit::usage_book usage_;
    asio::thread_pool pool_{1};  ///< for bodies that arrive as files
};

class memory_documents final : public document_store {
public:
    explicit memory_documents(shared_state& shared) : shared_(shared) {}

    task<result<document>> find(std::string kind, std::string id) override {
        co_return documents_.get(kind, id);
    }

    task<result<scan_page<document>>> scan(std::string kind, std::string cursor, std::size_t limit) override {
        co_return documents_.scan(kind, cursor, limit);
    }

    task<result<documents_outcome>> write(std::vector<document_write> parts) override {
        if (auto wrong = kit::refuse_documents(parts)) co_return std::move(*wrong);
        const lock_guard lock(shared_.writing);
        std::vector<change> changes;
        auto outcome = documents_.write(std::move(parts), shared_.newest, changes);
        if (!changes.empty()) shared_.publish(std::move(changes));
        co_return outcome;
    }

    [[nodiscard]] std::size_t size() const { return documents_.size(); }

private:
    shared_state& shared_;
    kit::documents documents_;
};

class memory_feed final : public change_feed {
public:
    explicit memory_feed(shared_state& shared) : shared_(shared) {}

    task<result<change_batch>> changes(revision after, std::size_t limit) override {
        co_return shared_.changes.after(after, limit);
    }
    task<result<revision>> last() override { co_return shared_.changes.last(); }
    void on_change(std::function<void()> notify) override { shared_.notify = std::move(notify); }

private:
    shared_state& shared_;
};

class memory_engine final : public storage_engine {
public:
    image_store& images() noexcept override { return images_; }
    document_store& documents() noexcept override { return documents_; }
    change_feed& feed() noexcept override { return feed_; }

    task<result<check_report>> check() override {
        const lock_guard lock(shared_.writing);
        check_report report;
        images_.check(report);
        report.documents = documents_.size();
        co_return report;
    }

    [[nodiscard]] std::vector<statistic> statistics() const override {
        const auto gauge = [](const char* name, const char* help, std::size_t value) {
            return statistic{name, statistic::kind::gauge, help, static_cast<double>(value)};
        };
        return {gauge("images", "Stored images.", images_.size()),
                gauge("kept_versions", "Kept versions of images.", images_.kept_size()),
                gauge("documents", "Stored documents.", documents_.size()),
                gauge(kit::entries_set_aside, kit::none_set_aside, 0),
                gauge("changes_kept", "Changes that the feed keeps.", shared_.changes.size())};
    }

private:
    shared_state shared_;
    memory_images images_{shared_};
    memory_documents documents_{shared_};
    memory_feed feed_{shared_};
};

}  // namespace

std::unique_ptr<storage_engine> make_memory_engine() {
    return std::make_unique<memory_engine>();
}

}  // namespace gallery
