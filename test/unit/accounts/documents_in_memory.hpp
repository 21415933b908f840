// SPDX-License-Identifier: Apache-2.0
/// The documents of a store for tests, in memory, with their feed.
#pragma once

#include <gallery/storage.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gallery::test {

/// Threads: all members on any thread.
class documents_in_memory final : public document_store, public change_feed {
public:
    /// Called before each write with the kind of each part, without a lock held; an error makes that write
    /// fail with it.
    std::function<std::optional<error>(const std::string& kind)> before_write;

    /// Called before each write is made, with what continues it.
    std::function<void(resumption<>)> hold_write;

    /// What changes() says of a batch that reaches the end.
    std::function<std::chrono::steady_clock::time_point()> horizon = std::chrono::steady_clock::now;
    /// Called by changes(), without a lock held; an error makes it fail with it.
    std::function<std::optional<error>()> before_changes;

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
    /// As a store of an earlier version, which had none of this kind.
    void drop_kind(const std::string& kind) {
        const std::lock_guard lock(mutex_);
        std::erase_if(documents_, [&](const auto& entry) { return entry.first.first == kind; });
    }

    task<result<document>> find(std::string kind, std::string id) override {
        const std::lock_guard lock(mutex_);
        const auto found = documents_.find({kind, id});
        if (found == documents_.end()) co_return error{errc::not_found, "no document " + kind + '/' + id};
        co_return found->second;
    }
    task<result<scan_page<document>>> scan(std::string kind, std::string cursor, std::size_t limit) override {
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
    task<result<documents_outcome>> write(std::vector<document_write> parts) override {
        if (before_write) {
            for (const auto& part : parts) {
                if (auto failed = before_write(part.doc.kind)) co_return *failed;
            }
        }
        if (hold_write) {
            auto hold = hold_write;
            co_await suspend(std::move(hold));
        }
        const std::lock_guard lock(mutex_);
        documents_outcome out;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const auto current = current_of(parts[i].doc);
            const bool missing = parts[i].what == document_write::action::erase && current == 0;
            if (!missing && parts[i].condition.holds(current)) continue;
            out.status = missing ? write_status::absent : write_status::conflict;
            out.failed = i;
            out.current = current;
            co_return out;
        }
        for (auto& part : parts)
            out.revs.push_back(apply(std::move(part)));
        co_return out;
    }

    task<result<change_batch>> changes(revision after, std::size_t limit) override {
        if (before_changes) {
            if (auto failed = before_changes()) co_return *failed;
        }
        const auto began = horizon();
        const std::lock_guard lock(mutex_);
        change_batch out;
        out.next = after;
        for (const auto& one : feed_) {
            if (one.rev <= after || out.changes.size() == limit) continue;
            out.changes.push_back(one);
            out.next = one.rev;
        }
        if (out.next == last_) out.horizon = began;
        co_return out;
    }
    task<result<revision>> last() override {
        const std::lock_guard lock(mutex_);
        co_return last_;
    }
    void on_change(std::function<void()> /*notify*/) override {}

private:
    revision current_of(const document& doc) const {
        const auto found = documents_.find({doc.kind, doc.id});
        return found == documents_.end() ? 0 : found->second.rev;
    }
    revision apply(document_write part) {
        if (part.what == document_write::action::require) return current_of(part.doc);
        change one;
        one.rev = part.doc.rev = ++last_;
        one.document_kind = part.doc.kind;
        one.document_id = part.doc.id;
        if (part.what == document_write::action::erase) {
            one.what = change::kind::document_erased;
            documents_.erase({part.doc.kind, part.doc.id});
        } else {
            one.what = change::kind::document_saved;
            documents_[{part.doc.kind, part.doc.id}] = std::move(part.doc);
        }
        feed_.push_back(std::move(one));
        return last_;
    }

    std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, document> documents_;
    std::vector<change> feed_;
    revision last_ = 0;
};

}  // namespace gallery::test
