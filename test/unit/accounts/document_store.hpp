/// A store for tests that keeps documents in memory and has no images.
#pragma once

#include <gallery/storage.hpp>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gallery::test {

/// Threads: all members on any thread.
class document_store final : public image_store {
public:
    /// Called before each write, without a lock held; an error makes that write fail with it.
    std::function<std::optional<error>(const std::string& kind)> before_write;

    std::size_t count(const std::string& kind) {
        const std::lock_guard lock(mutex_);
        std::size_t found = 0;
        for (const auto& [key, doc] : documents_)
            found += key.first == kind ? 1 : 0;
        return found;
    }
    /// Every body, for tests of what is not in them.
    std::string everything() {
        const std::lock_guard lock(mutex_);
        std::string all;
        for (const auto& [key, doc] : documents_)
            all += doc.body + '\n';
        return all;
    }

    task<result<document>> find_document(std::string kind, std::string id) override {
        const std::lock_guard lock(mutex_);
        const auto found = documents_.find({kind, id});
        if (found == documents_.end()) co_return error{errc::not_found, "no document " + kind + '/' + id};
        co_return found->second;
    }
    task<result<scan_page<document>>> scan_documents(std::string kind, std::string cursor,
                                                     std::size_t limit) override {
        const std::lock_guard lock(mutex_);
        scan_page<document> page;
        for (auto at = documents_.upper_bound({kind, cursor});
             at != documents_.end() && at->first.first == kind; ++at) {
            if (page.items.size() == limit) {
                page.cursor = page.items.back().id;
                break;
            }
            page.items.push_back(at->second);
        }
        co_return page;
    }
    task<result<write_outcome>> save_document(document doc, precondition condition) override {
        if (before_write) {
            if (auto failed = before_write(doc.kind)) co_return *failed;
        }
        const std::lock_guard lock(mutex_);
        auto& slot = documents_[{doc.kind, doc.id}];
        write_outcome out;
        if (!condition.holds(slot.rev)) {
            out.status = write_status::conflict;
            out.rev = slot.rev;
            if (slot.rev == 0) documents_.erase({doc.kind, doc.id});
            co_return out;
        }
        doc.rev = ++last_;
        out.rev = doc.rev;
        note(change::kind::document_saved, doc);
        slot = std::move(doc);
        co_return out;
    }
    task<result<write_outcome>> erase_document(std::string kind, std::string id,
                                               precondition condition) override {
        if (before_write) {
            if (auto failed = before_write(kind)) co_return *failed;
        }
        const std::lock_guard lock(mutex_);
        write_outcome out;
        const auto found = documents_.find({kind, id});
        if (found == documents_.end() || !condition.holds(found->second.rev)) {
            out.status = found == documents_.end() ? write_status::absent : write_status::conflict;
            co_return out;
        }
        out.rev = ++last_;
        auto gone = found->second;
        gone.rev = last_;
        note(change::kind::document_erased, gone);
        documents_.erase(found);
        co_return out;
    }
    task<result<change_batch>> changes(revision after, std::size_t limit) override {
        const std::lock_guard lock(mutex_);
        change_batch out;
        out.next = after;
        for (const auto& one : feed_) {
            if (one.rev <= after || out.changes.size() == limit) continue;
            out.changes.push_back(one);
            out.next = one.rev;
        }
        co_return out;
    }
    task<result<revision>> last_change() override {
        const std::lock_guard lock(mutex_);
        co_return last_;
    }

    // A store without images.
    task<result<record_ptr>> find(tenant_id, std::string) override { co_return nothing(); }
    task<result<record_ptr>> find_by_id(image_id) override { co_return nothing(); }
    task<result<record_ptr>> find_by_public_key(std::string) override { co_return nothing(); }
    task<result<body>> read(record_ptr, representation) override { co_return nothing(); }
    task<result<image_page>> list(image_query) override { co_return image_page{}; }
    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id>, std::string, std::size_t) override {
        co_return scan_page<record_ptr>{};
    }
    task<result<write_outcome>> save(image_record, body, body, precondition) override { co_return nothing(); }
    task<result<write_outcome>> update(image_record, precondition) override { co_return nothing(); }
    task<result<write_outcome>> erase(tenant_id, std::string, precondition) override { co_return nothing(); }
    void on_change(std::function<void()>) override {}
    task<result<check_report>> check() override { co_return check_report{}; }
    [[nodiscard]] std::vector<std::pair<std::string, double>> statistics() const override { return {}; }

private:
    static error nothing() { return {errc::not_found, "no images here"}; }
    void note(change::kind what, const document& doc) {
        change one;
        one.what = what;
        one.rev = doc.rev;
        one.document_kind = doc.kind;
        one.document_id = doc.id;
        feed_.push_back(std::move(one));
    }

    std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, document> documents_;
    std::vector<change> feed_;
    revision last_ = 0;
};

}  // namespace gallery::test
