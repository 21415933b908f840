// SPDX-License-Identifier: Apache-2.0
/// All documents of a store in memory.
#pragma once

#include <gallery/change_feed.hpp>
#include <gallery/document_store.hpp>
#include <gallery/mutex.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::kit {

/// Thread-safe. Documents (users, keys, sessions) are small and few enough to be kept in memory.
class documents {
public:
    [[nodiscard]] std::optional<document> find(std::string_view kind, std::string_view id) const;
    /// As document_store::find().
    [[nodiscard]] result<document> get(std::string_view kind, std::string_view id) const;
    /// 0 where there is none.
    [[nodiscard]] revision find_revision(std::string_view kind, std::string_view id) const;

    /// Stores a document, replacing one with the same kind and id.
    void put(document doc);
    void erase(std::string_view kind, std::string_view id);
    /// Saves and erasures of one atomic write, whose documents have their revisions: readers see all or none.
    /// Parts that only require are ignored.
    void apply(std::vector<document_write> parts);

    /// As document_store::write(), for an engine that keeps its documents nowhere else. @p newest: the newest
    /// revision of the store, which it raises. Appends the entries of the feed to @p changes. Preconditions:
    /// refuse_documents(parts) found nothing, and there is no other writer meanwhile.
    [[nodiscard]] documents_outcome write(std::vector<document_write> parts, revision& newest,
                                          std::vector<change>& changes);

    /// As document_store::scan().
    [[nodiscard]] result<scan_page<document>> scan(std::string_view kind, std::string_view cursor,
                                                   std::size_t limit) const;

    /// A copy of everything, for check().
    [[nodiscard]] std::vector<document> all() const;

    [[nodiscard]] std::size_t size() const;

private:
    struct name {
        std::string kind;
        std::string id;
    };
    struct name_view {
        std::string_view kind;
        std::string_view id;
    };
    struct less {
        using is_transparent = void;
        template <class A, class B>
        bool operator()(const A& a, const B& b) const noexcept {
            const std::string_view a_kind = a.kind;
            const std::string_view b_kind = b.kind;
            const int order = a_kind.compare(b_kind);
            return order != 0 ? order < 0 : std::string_view(a.id) < std::string_view(b.id);
        }
    };
    void put_locked(document doc) GALLERY_REQUIRES(mutex_);
    void erase_locked(std::string_view kind, std::string_view id) GALLERY_REQUIRES(mutex_);

    mutable shared_mutex mutex_;
    std::map<name, document, less> documents_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::kit
