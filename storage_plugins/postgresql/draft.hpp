// SPDX-License-Identifier: Apache-2.0
/// The writes of one transaction before it is committed.
#pragma once

#include "event.hpp"
#include "mirror.hpp"

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gallery::postgres {

/// The mirror with the changes of the writes that were judged so far in this transaction. Later writes of the
/// transaction are judged in it. Precondition: the mirror is at the newest revision, and the store's lock is
/// held until the transaction ends, so that this is the state in which the writes happen.
class draft {
public:
    draft(const mirror& base, revision last) : base_(base), last_(last) {}

    [[nodiscard]] kit::stored find(const tenant_id& tenant, const std::string& key) const;
    [[nodiscard]] kit::stored find_by_id(const image_id& id) const;
    [[nodiscard]] kit::stored find_by_public_key(const std::string& public_key) const;
    [[nodiscard]] kit::stored_version find_version(const image_id& id, revision content_rev) const;
    [[nodiscard]] revision document_revision(const std::string& kind, const std::string& id) const;
    /// Of the tenant's images.
    [[nodiscard]] usage_figures usage(const tenant_id& tenant) const;

    /// The next one that has not been given out.
    revision next() noexcept { return ++last_; }
    [[nodiscard]] revision last() const noexcept { return last_; }

    void add(event one);
    [[nodiscard]] const std::vector<event>& events() const noexcept { return events_; }
    std::vector<event> take_events() noexcept { return std::move(events_); }

private:
    void replace(const kit::stored& before, const kit::stored& after);

    const mirror& base_;
    revision last_;
    std::vector<event> events_;
    // What differs from base_; null: it is not there any more.
    std::map<std::pair<tenant_id, std::string>, kit::stored> images_;
    std::unordered_map<image_id, kit::stored> ids_;
    std::unordered_map<std::string, kit::stored> public_keys_;
    std::map<std::pair<image_id, revision>, kit::stored_version> versions_;
    std::map<std::pair<std::string, std::string>, revision> documents_;
    std::unordered_map<tenant_id, kit::usage_book::difference> usage_;
};

}  // namespace gallery::postgres
