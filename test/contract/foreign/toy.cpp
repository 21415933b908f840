// SPDX-License-Identifier: Apache-2.0
// The smallest complete storage plugin: all images in two maps under one lock, documents and feed from the
// kit. It keeps the storage contract but for durability, and shows what every engine has to do.
// etc/doc/storage_plugins.md walks through it.
#include <gallery/image_order.hpp>
#include <gallery/kit/documents.hpp>
#include <gallery/kit/feed.hpp>
#include <gallery/kit/matcher.hpp>
#include <gallery/kit/rules.hpp>
#include <gallery/plugin.hpp>

#include <algorithm>
#include <map>
#include <mutex>

namespace gallery::toy {
namespace {

struct item {
    record_ptr record;
    bytes original;
    bytes preview;

    [[nodiscard]] const bytes& of(representation which) const {
        return which == representation::preview && !record->preview_is_original ? preview : original;
    }
};

struct kept_item {
    kept_version version;
    item what;
};

/// The engine and its three parts in one object.
class store : public storage_engine, public image_store, public document_store, public change_feed {
public:
    /// No coroutine of the store is running any more; its own thread ends here.
    ~store() override { pool_.join(); }

    image_store& images() noexcept override { return *this; }
    document_store& documents() noexcept override { return *this; }
    change_feed& feed() noexcept override { return *this; }

    // ---- images: reading ----

    task<result<record_ptr>> find(tenant_id tenant, std::string key) override {
        const std::lock_guard lock(mutex_);
        const auto* found = current(tenant, key);
        if (found == nullptr) co_return kit::no_such_image(tenant, key);
        co_return found->record;
    }

    task<result<record_ptr>> find_by_id(image_id id) override {
        const std::lock_guard lock(mutex_);
        for (const auto& [name, one] : images_)
            if (one.record->id == id) co_return one.record;
        co_return kit::no_such_image(id);
    }

    task<result<record_ptr>> find_by_public_key(std::string public_key) override {
        const std::lock_guard lock(mutex_);
        for (const auto& [name, one] : images_)
            if (one.record->public_key == public_key) co_return one.record;
        co_return kit::no_such_public_key(public_key);
    }

    task<result<std::vector<record_ptr>>> find_by_content(tenant_id tenant, sha256_digest etag) override {
        std::vector<record_ptr> found;
        const std::lock_guard lock(mutex_);
        for (const auto& [name, one] : images_)
            if (name.first == tenant && one.record->original.etag == etag) found.push_back(one.record);
        std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
        if (found.size() > max_same_content) found.resize(max_same_content);
        co_return found;
    }

    task<result<body>> read(record_ptr record, representation which) override {
        const std::lock_guard lock(mutex_);
        const auto* found = current(record->tenant, record->key);
        if (found != nullptr && is_version(*found->record, record->id, record->content_rev))
            co_return found->of(which);
        const auto* kept = kept_under(record->id, record->content_rev);
        if (kept != nullptr) co_return kept->what.of(which);
        co_return kit::stale_record(*record);
    }

    task<result<image_page>> list(image_query query) override {
        if (auto wrong = kit::refuse_query(query)) co_return std::move(*wrong);
        const kit::matcher wanted(query);
        const std::lock_guard lock(mutex_);
        std::vector<record_ptr> all;
        for (const auto& [name, one] : images_) {
            const auto& record = *one.record;
            const bool own = record.tenant == query.tenant;
            const bool system = query.include_system && record.tenant == system_tenant && !own &&
                                !images_.contains({query.tenant, record.key});
            if ((own || system) && record.sub_type == query.sub_type && wanted.matches(record))
                all.push_back(one.record);
        }
        std::sort(all.begin(), all.end(), [&](const record_ptr& a, const record_ptr& b) {
            const int order = compare(*a, *b, query.sort);
            return order == 0 ? a->id < b->id : (order < 0) != query.descending;
        });
        image_page page;
        page.total = all.size();
        const auto begin = std::min(kit::first_of(query), page.total);
        const auto end = begin + std::min<std::uint64_t>(query.page_size, page.total - begin);
        page.images.assign(all.begin() + static_cast<std::ptrdiff_t>(begin),
                           all.begin() + static_cast<std::ptrdiff_t>(end));
        co_return page;
    }

    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,
                                             std::size_t limit) override {
        if (limit == 0) co_return kit::bad_limit();
        // A cursor is the place where the last page ended: "<tenant's id>/<key>".
        const auto slash = cursor.find('/');
        const auto place = parse_uuid(std::string_view(cursor).substr(0, slash));
        if (!cursor.empty() && (!place || slash == std::string::npos))
            co_return kit::bad_cursor("images", cursor);
        const std::lock_guard lock(mutex_);
        auto at = tenant ? images_.lower_bound({*tenant, ""}) : images_.begin();
        if (!cursor.empty()) at = images_.upper_bound({tenant_id{*place}, cursor.substr(slash + 1)});
        scan_page<record_ptr> page;
        const auto belongs = [&] { return at != images_.end() && (!tenant || at->first.first == *tenant); };
        for (; belongs() && page.items.size() < limit; ++at)
            page.items.push_back(at->second.record);
        if (belongs() && !page.items.empty())
            page.cursor = to_string(page.items.back()->tenant) + '/' + page.items.back()->key;
        co_return page;
    }

    task<result<tenant_usage>> usage(std::optional<tenant_id> tenant) override {
        const std::lock_guard lock(mutex_);
        co_return usage_of(tenant);
    }

    // ---- kept versions ----

    task<result<scan_page<kept_version>>> kept(std::optional<tenant_id> tenant, kept_order order,
                                               std::string cursor, std::size_t limit) override {
        const auto wanted = [&](const image_record& record) { return !tenant || record.tenant == *tenant; };
        co_return kept_page(wanted, order, cursor, limit);
    }

    task<result<scan_page<kept_version>>> kept_of(image_id id, std::string cursor,
                                                  std::size_t limit) override {
        const auto wanted = [&](const image_record& record) { return record.id == id; };
        co_return kept_page(wanted, kept_order::newest_first, cursor, limit);
    }

    task<result<kept_version>> find_kept(image_id id, revision content_rev) override {
        const std::lock_guard lock(mutex_);
        const auto* found = kept_under(id, content_rev);
        if (found == nullptr) co_return kit::no_such_version(id, content_rev);
        co_return found->version;
    }

    // ---- images: writing ----

    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     write_rules rules) override {
        if (auto wrong = kit::refuse_save(record, original, preview)) co_return std::move(*wrong);
        auto loaded = co_await load(std::move(original), std::move(preview), record.preview_is_original);
        if (!loaded) co_return loaded.error();

        const std::lock_guard lock(mutex_);
        const auto* before = current(record.tenant, record.key);
        const auto there = before == nullptr ? nullptr : before->record;
        if (!rules.condition.holds(there ? there->rev : 0))
            co_return kit::refused(write_status::conflict, there);
        const auto is_other = [&](const auto& name) { return name != std::pair(record.tenant, record.key); };
        for (const auto& [name, one] : images_)
            if (is_other(name) && one.record->id == record.id) co_return kit::id_taken(record, *one.record);
        for (const auto& [name, one] : images_)
            if (is_other(name) && one.record->public_key == record.public_key)
                co_return kit::refused(write_status::public_key_taken, there);
        const auto used = usage_of(record.tenant).images;
        auto after = used;
        if (there) subtract(after, *there);
        add(after, record);
        if (!rules.limit.allows(used, after)) co_return kit::refused(write_status::over_limit, there);

        record.rev = record.content_rev = ++newest_;
        const auto kept = keep(before, rules.previous, false);
        const auto saved = std::make_shared<const image_record>(std::move(record));
        images_[{saved->tenant, saved->key}] = {saved, loaded->first, loaded->second};
        publish(kit::image_change(change::kind::image_saved, *saved, newest_, kept));
        co_return write_outcome{write_status::committed, newest_, saved, kept};
    }

    task<result<write_outcome>> update(image_record record, precondition condition) override {
        const std::lock_guard lock(mutex_);
        const auto found = images_.find({record.tenant, record.key});
        if (found == images_.end()) co_return kit::refused(write_status::absent, nullptr);
        auto& there = found->second.record;
        if (!condition.holds(there->rev)) co_return kit::refused(write_status::conflict, there);
        there = std::make_shared<const image_record>(kit::updated(*there, record, ++newest_));
        publish(kit::image_change(change::kind::image_updated, *there, newest_));
        co_return write_outcome{write_status::committed, newest_, there};
    }

    task<result<write_outcome>> erase(tenant_id tenant, std::string key, write_rules rules) override {
        const std::lock_guard lock(mutex_);
        const auto found = images_.find({tenant, key});
        if (found == images_.end()) co_return kit::refused(write_status::absent, nullptr);
        const auto there = found->second.record;
        if (!rules.condition.holds(there->rev)) co_return kit::refused(write_status::conflict, there);
        ++newest_;
        const auto kept = keep(&found->second, rules.previous, true);
        images_.erase(found);
        publish(kit::image_change(change::kind::image_erased, *there, newest_, kept));
        co_return write_outcome{write_status::committed, newest_, nullptr, kept};
    }

    task<result<write_outcome>> save_kept(image_record record, body original, body preview,
                                          std::int64_t kept_time, bool is_erased) override {
        if (auto wrong = kit::refuse_save(record, original, preview)) co_return std::move(*wrong);
        auto loaded = co_await load(std::move(original), std::move(preview), record.preview_is_original);
        if (!loaded) co_return loaded.error();
        const std::lock_guard lock(mutex_);
        record.rev = record.content_rev = ++newest_;
        const auto saved = std::make_shared<const image_record>(std::move(record));
        kept_[newest_] = {{saved, newest_, kept_time, is_erased}, {saved, loaded->first, loaded->second}};
        publish(kit::image_change(change::kind::version_kept, *saved, newest_, newest_));
        co_return write_outcome{write_status::committed, newest_, saved, newest_};
    }

    task<result<write_outcome>> drop_kept(image_id id, revision content_rev) override {
        const std::lock_guard lock(mutex_);
        const auto* found = kept_under(id, content_rev);
        if (found == nullptr) co_return kit::refused(write_status::absent, nullptr);
        const auto record = found->version.record;
        kept_.erase(found->version.kept_rev);
        publish(kit::image_change(change::kind::version_dropped, *record, ++newest_, content_rev));
        co_return write_outcome{write_status::committed, newest_, nullptr};
    }

    // ---- documents ----

    task<result<documents_outcome>> write(std::vector<document_write> parts) override {
        if (auto wrong = kit::refuse_documents(parts)) co_return std::move(*wrong);
        const std::lock_guard lock(mutex_);
        std::vector<change> changes;
        auto outcome = documents_.write(std::move(parts), newest_, changes);
        for (auto& one : changes)
            publish(std::move(one));
        co_return outcome;
    }

    task<result<document>> find(std::string kind, std::string id) override {
        co_return documents_.get(kind, id);
    }

    task<result<scan_page<document>>> scan(std::string kind, std::string cursor, std::size_t limit) override {
        co_return documents_.scan(kind, cursor, limit);
    }

    // ---- changes ----

    task<result<change_batch>> changes(revision after, std::size_t limit) override {
        co_return feed_.after(after, limit);
    }
    task<result<revision>> last() override { co_return feed_.last(); }
    void on_change(std::function<void()> notify) override { notify_ = std::move(notify); }

    // ---- operation ----

    task<result<check_report>> check() override {
        const std::lock_guard lock(mutex_);
        check_report report;
        report.records = report.index_entries = images_.size();
        report.kept_versions = kept_.size();
        report.documents = documents_.size();
        co_return report;
    }

    [[nodiscard]] std::vector<statistic> statistics() const override {
        const std::lock_guard lock(mutex_);
        return {{"images", statistic::kind::gauge, "Stored images.", static_cast<double>(images_.size())}};
    }

private:
    static bool is_version(const image_record& record, image_id id, revision content_rev) {
        return record.id == id && record.content_rev == content_rev;
    }

    static void add(usage_figures& to, const image_record& record) {
        const auto more = kit::figures_of(record);
        to.count += more.count;
        to.original_bytes += more.original_bytes;
        to.preview_bytes += more.preview_bytes;
    }
    static void subtract(usage_figures& from, const image_record& record) {
        const auto less = kit::figures_of(record);
        from.count -= less.count;
        from.original_bytes -= less.original_bytes;
        from.preview_bytes -= less.preview_bytes;
    }

    /// A body may lie in a file, and reading it blocks: not on this thread.
    task<result<std::pair<bytes, bytes>>> load(body original, body preview, bool preview_is_original) {
        if (preview_is_original) preview = bytes{};
        auto work = [original = std::move(original),
                     preview = std::move(preview)]() -> result<std::pair<bytes, bytes>> {
            const auto first = original.load();
            const auto second = preview.load();
            if (!first || !second) return error{errc::io_error, "The bytes cannot be read."};
            return std::pair(*first, *second);
        };
        co_return co_await offload(pool_, std::move(work));
    }

    template <class Wanted>
    result<scan_page<kept_version>> kept_page(Wanted wanted, kept_order order, const std::string& cursor,
                                              std::size_t limit) const {
        if (limit == 0) return kit::bad_limit();
        // A cursor is the kept_rev of the last item.
        if (cursor.find_first_not_of("0123456789") != std::string::npos || cursor.size() > 19 ||
            cursor == "0")
            return kit::bad_cursor("kept versions", cursor);
        const revision place = cursor.empty() ? 0 : std::stoull(cursor);
        const bool newest_first = order == kept_order::newest_first;
        std::vector<kept_version> all;
        const std::lock_guard lock(mutex_);
        for (const auto& [rev, one] : kept_)
            if (wanted(*one.version.record) && (place == 0 || (newest_first ? rev < place : rev > place)))
                all.push_back(one.version);
        if (newest_first) std::reverse(all.begin(), all.end());
        scan_page<kept_version> page;
        if (all.size() > limit) {
            all.resize(limit);
            page.cursor = std::to_string(all.back().kept_rev);
        }
        page.items = std::move(all);
        return page;
    }

    // What follows is called with the lock held.

    [[nodiscard]] const item* current(const tenant_id& tenant, const std::string& key) const {
        const auto found = images_.find({tenant, key});
        return found == images_.end() ? nullptr : &found->second;
    }

    [[nodiscard]] const kept_item* kept_under(image_id id, revision content_rev) const {
        for (const auto& [rev, one] : kept_)
            if (is_version(*one.version.record, id, content_rev)) return &one;
        return nullptr;
    }

    [[nodiscard]] tenant_usage usage_of(const std::optional<tenant_id>& tenant) const {
        tenant_usage sums;
        for (const auto& [name, one] : images_)
            if (!tenant || name.first == *tenant) add(sums.images, *one.record);
        for (const auto& [rev, one] : kept_)
            if (!tenant || one.version.record->tenant == *tenant) add(sums.kept, *one.version.record);
        return sums;
    }

    /// Keeps @p before as part of the write that has the newest revision, where it should be. Returns its
    /// content_rev, or 0.
    revision keep(const item* before, const previous_version& rule, bool is_erased) {
        if (before == nullptr || !rule.is_kept()) return 0;
        kept_[newest_] = {{before->record, newest_, rule.time(), is_erased}, *before};
        return before->record->content_rev;
    }

    void publish(change entry) {
        feed_.append(std::move(entry));
        if (notify_) notify_();
    }

    mutable std::mutex mutex_;
    std::map<std::pair<tenant_id, std::string>, item> images_;
    std::map<revision, kept_item> kept_;  ///< by kept_rev
    kit::documents documents_;
    kit::feed feed_;
    revision newest_ = 0;
    std::function<void()> notify_;
    asio::thread_pool pool_{1};
};

result<std::unique_ptr<storage_engine>> create(const plugin_context& context) noexcept {
    try {
        // Each option of the schema is there, at least with its default.
        const std::string& colour = context.options.at("colour");
        context.log(log_level::info, "This store is " + colour + " and forgets everything.");
        return std::unique_ptr<storage_engine>(std::make_unique<store>());
    } catch (const std::exception& e) {
        return error{errc::unavailable, e.what()};
    }
}

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "toy", "1.0", R"({
    "colour": {"default": "red", "type": "text", "description": "An option, to show how one is declared and read."}
})", false, &create};

}  // namespace
}  // namespace gallery::toy

GALLERY_STORAGE_PLUGIN(gallery::toy::descriptor)
