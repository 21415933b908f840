// The smallest complete storage plugin: everything in two maps under one lock. It keeps the storage contract
// but for durability, and shows what every engine has to do. etc/doc/storage_plugins.md walks through it.
#include <gallery/plugin.hpp>
#include <gallery/text.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <tuple>

namespace gallery::toy {
namespace {

struct item {
    record_ptr record;
    bytes original;
    bytes preview;
};

class store final : public image_store {
public:
    /// Nothing of the store runs on an I/O thread any more; what is on its own thread ends here.
    ~store() override { pool_.join(); }

    // ---- images: reading ----

    task<result<record_ptr>> find(tenant_id tenant, std::string key) override {
        const std::lock_guard lock(mutex_);
        const auto found = images_.find({tenant, key});
        if (found == images_.end()) co_return no_such_image();
        co_return found->second.record;
    }

    task<result<record_ptr>> find_by_id(image_id id) override {
        co_return find_where([&](const image_record& record) { return record.id == id; });
    }

    task<result<record_ptr>> find_by_public_key(std::string public_key) override {
        co_return find_where([&](const image_record& record) { return record.public_key == public_key; });
    }

    task<result<body>> read(record_ptr record, representation which) override {
        const std::lock_guard lock(mutex_);
        const auto found = images_.find({record->tenant, record->key});
        if (found == images_.end() || found->second.record->content_rev != record->content_rev)
            co_return error{errc::stale, "The image was replaced or erased; find it again."};
        const bool preview = which == representation::preview && !record->preview_is_original;
        co_return preview ? found->second.preview : found->second.original;
    }

    task<result<image_page>> list(image_query query) override {
        if (query.page_size == 0) co_return error{errc::invalid_argument, "A page has at least one image."};
        const std::lock_guard lock(mutex_);
        const auto search = fold_case(query.text_search);
        std::vector<record_ptr> all;
        for (const auto& [name, one] : images_) {
            const auto& record = *one.record;
            const bool own = record.tenant == query.tenant;
            const bool system = query.include_system && record.tenant == system_tenant && !own &&
                                !images_.contains({query.tenant, record.key});
            if ((own || system) && record.sub_type == query.sub_type &&
                fold_case(record.title).find(search) != std::string::npos)
                all.push_back(one.record);
        }
        std::sort(all.begin(), all.end(), [&](const record_ptr& a, const record_ptr& b) {
            const int order = compare(*a, *b, query.sort);
            return order == 0 ? a->id < b->id : (order < 0) != query.descending;
        });
        image_page page;
        page.total = all.size();
        const auto begin = query.page > page.total / query.page_size
                               ? page.total
                               : std::min<std::uint64_t>(query.page * query.page_size, page.total);
        const auto end = begin + std::min<std::uint64_t>(query.page_size, page.total - begin);
        page.images.assign(all.begin() + static_cast<std::ptrdiff_t>(begin),
                           all.begin() + static_cast<std::ptrdiff_t>(end));
        co_return page;
    }

    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,
                                             std::size_t limit) override {
        if (limit == 0) co_return error{errc::invalid_argument, "A scan takes a limit of at least 1."};
        // A cursor is the place where the last page ended: "<tenant's id>/<key>".
        const auto slash = cursor.find('/');
        const auto place = parse_uuid(std::string_view(cursor).substr(0, slash));
        if (!cursor.empty() && (!place || slash == std::string::npos))
            co_return error{errc::invalid_argument, "The cursor is not one that a scan returned."};
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

    // ---- images: writing ----

    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     precondition condition) override {
        if (record.preview_is_original) preview = bytes{};
        if (original.size() != record.original.size ||
            (!record.preview_is_original && preview.size() != record.preview.size))
            co_return error{errc::invalid_argument, "Bytes and their description have different sizes."};
        // A body may lie in a file, and reading it blocks: not on this thread.
        auto load = [original, preview] { return std::pair(original.load(), preview.load()); };
        const auto loaded = co_await offload(pool_, std::move(load));
        if (!loaded.first || !loaded.second) co_return error{errc::io_error, "The bytes cannot be read."};

        const std::lock_guard lock(mutex_);
        const auto found = images_.find({record.tenant, record.key});
        const auto current = found == images_.end() ? nullptr : found->second.record;
        if (!condition.holds(current ? current->rev : 0)) co_return conflict(current);
        for (const auto& [name, one] : images_) {
            if (name == std::pair(record.tenant, record.key)) continue;
            if (one.record->id == record.id)
                co_return error{errc::invalid_argument, "The id belongs to another image."};
            if (one.record->public_key == record.public_key)
                co_return write_outcome{write_status::public_key_taken, current ? current->rev : 0, nullptr};
        }
        record.rev = record.content_rev = next_revision();
        const auto saved = std::make_shared<const image_record>(std::move(record));
        images_[{saved->tenant, saved->key}] = {saved, *loaded.first, *loaded.second};
        publish(change::kind::image_saved, *saved);
        co_return write_outcome{write_status::committed, newest_, saved};
    }

    task<result<write_outcome>> update(image_record record, precondition condition) override {
        const std::lock_guard lock(mutex_);
        const auto found = images_.find({record.tenant, record.key});
        if (found == images_.end()) co_return write_outcome{write_status::absent, 0, nullptr};
        const auto current = found->second.record;
        if (!condition.holds(current->rev)) co_return conflict(current);
        auto next = std::make_shared<image_record>(*current);
        next->title = record.title;
        next->file_name = record.file_name;
        next->sub_type = record.sub_type;
        next->is_public = record.is_public;
        next->external_id = record.external_id;
        next->origin = record.origin;
        next->rev = next_revision();
        found->second.record = next;
        publish(change::kind::image_updated, *next);
        co_return write_outcome{write_status::committed, newest_, next};
    }

    task<result<write_outcome>> erase(tenant_id tenant, std::string key, precondition condition) override {
        const std::lock_guard lock(mutex_);
        const auto found = images_.find({tenant, key});
        if (found == images_.end()) co_return write_outcome{write_status::absent, 0, nullptr};
        const auto current = found->second.record;
        if (!condition.holds(current->rev)) co_return conflict(current);
        images_.erase(found);
        next_revision();
        publish(change::kind::image_erased, *current);
        co_return write_outcome{write_status::committed, newest_, nullptr};
    }

    // ---- accounts ----

    task<result<document>> find_document(std::string kind, std::string id) override {
        const std::lock_guard lock(mutex_);
        const auto found = documents_.find({kind, id});
        if (found == documents_.end()) co_return error{errc::not_found, "There is no such document."};
        co_return found->second;
    }

    task<result<scan_page<document>>> scan_documents(std::string kind, std::string cursor,
                                                     std::size_t limit) override {
        if (limit == 0) co_return error{errc::invalid_argument, "A scan takes a limit of at least 1."};
        if (!cursor.empty() && !is_name(cursor, 128))
            co_return error{errc::invalid_argument, "The cursor is not one that a scan returned."};
        const std::lock_guard lock(mutex_);
        scan_page<document> page;
        auto at = documents_.upper_bound({kind, cursor});
        for (; at != documents_.end() && at->first.first == kind && page.items.size() < limit; ++at)
            page.items.push_back(at->second);
        if (at != documents_.end() && at->first.first == kind) page.cursor = page.items.back().id;
        co_return page;
    }

    task<result<write_outcome>> save_document(document doc, precondition condition) override {
        if (!is_name(doc.kind, 32) || !is_name(doc.id, 128) || doc.body.size() > 64 * 1024)
            co_return error{errc::invalid_argument, "The document's name or size is not allowed."};
        const std::lock_guard lock(mutex_);
        const auto current = document_revision(doc.kind, doc.id);
        if (!condition.holds(current)) co_return write_outcome{write_status::conflict, current, nullptr};
        doc.rev = next_revision();
        publish(change::kind::document_saved, doc.kind, doc.id);
        auto name = std::pair(doc.kind, doc.id);
        documents_.insert_or_assign(std::move(name), std::move(doc));
        co_return write_outcome{write_status::committed, newest_, nullptr};
    }

    task<result<write_outcome>> erase_document(std::string kind, std::string id,
                                               precondition condition) override {
        const std::lock_guard lock(mutex_);
        const auto current = document_revision(kind, id);
        if (current == 0) co_return write_outcome{write_status::absent, 0, nullptr};
        if (!condition.holds(current)) co_return write_outcome{write_status::conflict, current, nullptr};
        documents_.erase({kind, id});
        next_revision();
        publish(change::kind::document_erased, kind, id);
        co_return write_outcome{write_status::committed, newest_, nullptr};
    }

    // ---- changes ----

    task<result<change_batch>> changes(revision after, std::size_t limit) override {
        if (limit == 0) co_return error{errc::invalid_argument, "The feed takes a limit of at least 1."};
        const std::lock_guard lock(mutex_);
        change_batch batch;
        batch.gap = after < forgotten_;
        batch.next = std::max(after, forgotten_);
        for (const auto& one : feed_) {
            if (one.rev <= after) continue;
            if (batch.changes.size() == limit) break;
            batch.changes.push_back(one);
            batch.next = one.rev;
        }
        co_return batch;
    }

    task<result<revision>> last_change() override {
        const std::lock_guard lock(mutex_);
        co_return newest_;
    }

    void on_change(std::function<void()> notify) override { notify_ = std::move(notify); }

    // ---- operation ----

    task<result<check_report>> check() override {
        const std::lock_guard lock(mutex_);
        check_report report;
        report.records = report.index_entries = images_.size();
        report.documents = documents_.size();
        co_return report;
    }

    [[nodiscard]] std::vector<std::pair<std::string, double>> statistics() const override {
        const std::lock_guard lock(mutex_);
        return {{"images", static_cast<double>(images_.size())}};
    }

private:
    static error no_such_image() { return {errc::not_found, "There is no such image."}; }
    static write_outcome conflict(const record_ptr& current) {
        return {write_status::conflict, current ? current->rev : 0, current};
    }
    static bool is_name(std::string_view text, std::size_t most) {
        return !text.empty() && text.size() <= most &&
               text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
    }

    /// Less than 0, 0, or more than 0, by the property alone.
    static int compare(const image_record& a, const image_record& b, image_sort by) {
        const auto order = [](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : 0; };
        switch (by) {
            case image_sort::created_time:
                return order(a.created_time, b.created_time);
            case image_sort::title:
                return order(fold_case(a.title), fold_case(b.title));
            case image_sort::resource_key:
                return order(a.key, b.key);
            case image_sort::size:
                return order(a.original.size, b.original.size);
            case image_sort::tenant:
                return order(a.tenant, b.tenant);
            case image_sort::resource_type:
                break;
        }
        return 0;
    }

    template <class Condition>
    result<record_ptr> find_where(Condition holds) {
        const std::lock_guard lock(mutex_);
        for (const auto& [name, one] : images_)
            if (holds(*one.record)) return one.record;
        return no_such_image();
    }

    // What follows is called with the lock held.

    revision document_revision(const std::string& kind, const std::string& id) const {
        const auto found = documents_.find({kind, id});
        return found == documents_.end() ? 0 : found->second.rev;
    }

    revision next_revision() { return ++newest_; }

    void publish(change::kind what, const image_record& record) {
        change entry;
        entry.what = what;
        entry.rev = newest_;
        entry.tenant = record.tenant;
        entry.key = record.key;
        entry.id = record.id;
        entry.public_key = record.public_key;
        append(std::move(entry));
    }
    void publish(change::kind what, const std::string& kind, const std::string& id) {
        change entry;
        entry.what = what;
        entry.rev = newest_;
        entry.document_kind = kind;
        entry.document_id = id;
        append(std::move(entry));
    }
    void append(change entry) {
        constexpr std::size_t kept = 10'000;
        feed_.push_back(std::move(entry));
        if (feed_.size() > kept) {
            forgotten_ = feed_.front().rev;
            feed_.pop_front();
        }
        if (notify_) notify_();
    }

    mutable std::mutex mutex_;
    std::map<std::pair<tenant_id, std::string>, item> images_;
    std::map<std::pair<std::string, std::string>, document> documents_;
    std::deque<change> feed_;
    revision newest_ = 0;
    revision forgotten_ = 0;  ///< the newest change that is not kept any more
    std::function<void()> notify_;
    asio::thread_pool pool_{1};
};

result<std::unique_ptr<image_store>> create(const plugin_context& context) noexcept {
    try {
        // Each option of the schema is there, at least with its default.
        const std::string& colour = context.options.at("colour");
        context.log(plugin_context::log_level::info, "This store is " + colour + " and forgets everything.");
        return std::unique_ptr<image_store>(std::make_unique<store>());
    } catch (const std::exception& e) {
        return error{errc::unavailable, e.what()};
    }
}

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "toy", "1.0", R"({
    "colour": {"default": "red", "type": "text", "description": "An option, to show how one is declared and read."}
})",
                                          &create};

}  // namespace
}  // namespace gallery::toy

GALLERY_STORAGE_PLUGIN(gallery::toy::descriptor)
