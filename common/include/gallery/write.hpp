// SPDX-License-Identifier: Apache-2.0
/// Preconditions and outcomes of writes, for images and documents.
#pragma once

#include <gallery/model.hpp>

#include <cstdint>
#include <limits>

namespace gallery {

/// A requirement on the stored state before a write.
class precondition {
public:
    enum class kind : std::uint8_t { any, absent, present, match };

    static constexpr precondition any() noexcept { return {kind::any, 0}; }
    static constexpr precondition absent() noexcept { return {kind::absent, 0}; }
    static constexpr precondition present() noexcept { return {kind::present, 0}; }
    static constexpr precondition match(revision rev) noexcept { return {kind::match, rev}; }

    /// @p current is 0 if nothing is stored.
    [[nodiscard]] constexpr bool holds(revision current) const noexcept {
        switch (kind_) {
            case kind::any:
                return true;
            case kind::absent:
                return current == 0;
            case kind::present:
                return current != 0;
            case kind::match:
                return current != 0 && current == rev_;
        }
        return false;
    }

private:
    constexpr precondition(kind what, revision rev) noexcept : kind_(what), rev_(rev) {}
    kind kind_;
    revision rev_;
};

/// Whether the version that a save replaces or an erasure removes is kept.
class previous_version {
public:
    /// It is removed, and its bytes are freed.
    static constexpr previous_version drop() noexcept { return {false, 0}; }
    /// It becomes a kept version (see image_store). @p time: now, milliseconds since 1970-01-01T00:00Z.
    static constexpr previous_version keep(std::int64_t time) noexcept { return {true, time}; }

    [[nodiscard]] constexpr bool is_kept() const noexcept { return kept_; }
    /// The time that keep() was given; 0 of drop().
    [[nodiscard]] constexpr std::int64_t time() const noexcept { return time_; }

private:
    constexpr previous_version(bool kept, std::int64_t time) noexcept : kept_(kept), time_(time) {}
    bool kept_;
    std::int64_t time_;
};

/// A limit for the usage of a tenant after a save. The store judges it in the same atomic step as the write,
/// so it applies to any number of writers and processes. Saves in progress may be counted as completed.
struct usage_limit {
    static constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

    std::uint64_t images = unlimited;  ///< for tenant_usage::images.count
    std::uint64_t bytes = unlimited;   ///< for tenant_usage::images.original_bytes

    /// Whether a save that changes the figures from @p before to @p after is allowed. A save that does not
    /// raise a figure is not refused because of it, even if the figure is already above its limit.
    [[nodiscard]] constexpr bool allows(const usage_figures& before,
                                        const usage_figures& after) const noexcept {
        return (after.count <= before.count || after.count <= images) &&
               (after.original_bytes <= before.original_bytes || after.original_bytes <= bytes);
    }

    friend bool operator==(const usage_limit&, const usage_limit&) = default;
};

/// The conditions of a save or an erasure of an image. A precondition alone is converted to it.
struct write_rules {
    precondition condition;
    previous_version previous;
    usage_limit limit;  ///< ignored by an erasure

    constexpr write_rules(precondition required,  // NOLINT: a precondition is the usual rule
                          previous_version before = previous_version::drop(),
                          usage_limit allowed = {}) noexcept
        : condition(required), previous(before), limit(allowed) {}
};

/// The result of a write. Every status except committed means that nothing was changed.
enum class write_status : std::uint8_t {
    committed,
    conflict,          ///< the precondition failed
    absent,            ///< there is nothing to update, erase or drop
    public_key_taken,  ///< another image has this public key
    over_limit,        ///< the save would raise the tenant's usage above its limit
};

struct write_outcome {
    write_status status = write_status::committed;
    /// Committed: the revision of this write, which is its position in the feed. Otherwise the current
    /// revision under this name, 0 if nothing is stored.
    revision rev = 0;
    /// Images only. Committed save and update: the stored record. Conflict: the current record, or null.
    /// Public key taken and over limit: the current record under the key of the write, or null. Otherwise
    /// null.
    record_ptr record;
    /// Committed save and erase: the content_rev of the version that this write kept; 0 if it kept none.
    revision kept = 0;
};

/// Part of a sequence, in the order that the function states.
template <class Item>
struct scan_page {
    std::vector<Item> items;
    std::string cursor;  ///< pass it to continue; opaque; empty if this is the last page
};

}  // namespace gallery
