// SPDX-License-Identifier: Apache-2.0
/// What a write requires, and how it ends: the same for images and documents.
#pragma once

#include <gallery/model.hpp>

#include <cstdint>
#include <limits>

namespace gallery {

/// What a write requires of what is stored before it.
class precondition {
public:
    enum class kind : std::uint8_t { any, absent, present, match };

    static constexpr precondition any() noexcept { return {kind::any, 0}; }
    static constexpr precondition absent() noexcept { return {kind::absent, 0}; }
    static constexpr precondition present() noexcept { return {kind::present, 0}; }
    static constexpr precondition match(revision rev) noexcept { return {kind::match, rev}; }

    /// @p current is 0 where nothing is stored.
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

/// What becomes of the version that a save replaces or an erasure removes.
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

/// How far a save may raise the usage of its tenant. The store judges it in the same atomic step as the
/// write, so that it holds for any number of writers and processes. Saves in progress may be counted as done.
struct usage_limit {
    static constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

    std::uint64_t images = unlimited;  ///< for tenant_usage::images.count
    std::uint64_t bytes = unlimited;   ///< for tenant_usage::images.original_bytes

    /// Whether a save that changes the figures from @p before to @p after is allowed. A save that does not
    /// raise a figure is not refused because of it, also where the figure is above its limit already.
    [[nodiscard]] constexpr bool allows(const usage_figures& before,
                                        const usage_figures& after) const noexcept {
        return (after.count <= before.count || after.count <= images) &&
               (after.original_bytes <= before.original_bytes || after.original_bytes <= bytes);
    }

    friend bool operator==(const usage_limit&, const usage_limit&) = default;
};

/// What a save or an erasure of an image is bound to. A precondition alone converts to it.
struct write_rules {
    precondition condition;
    previous_version previous;
    usage_limit limit;  ///< ignored by an erasure

    constexpr write_rules(precondition required,  // NOLINT: a precondition is the usual rule
                          previous_version before = previous_version::drop(),
                          usage_limit allowed = {}) noexcept
        : condition(required), previous(before), limit(allowed) {}
};

/// How a write ended. Every status but committed means that nothing was changed.
enum class write_status : std::uint8_t {
    committed,
    conflict,          ///< the precondition did not hold
    absent,            ///< there is nothing to update, erase or drop
    public_key_taken,  ///< another image has this public key
    over_limit,        ///< the save would raise the tenant's usage above its limit
};

struct write_outcome {
    write_status status = write_status::committed;
    /// Committed: the revision of this write, which is its position in the feed. Otherwise the current
    /// revision of what was to be written, 0 where nothing is stored.
    revision rev = 0;
    /// Images only. Committed save and update: the record as stored. Conflict: the current record, null where
    /// there is none. Public key taken and over limit: the current record under the key that was to be
    /// written, or null. Otherwise null.
    record_ptr record;
    /// Committed save and erase: the content_rev of the version that this write kept; 0 where it kept none.
    revision kept = 0;
};

/// Part of a sequence, in the order that the function states.
template <class Item>
struct scan_page {
    std::vector<Item> items;
    std::string cursor;  ///< pass it to continue; opaque; empty where this page was the last
};

}  // namespace gallery
