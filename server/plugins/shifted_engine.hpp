// SPDX-License-Identifier: Apache-2.0
/// An engine whose revisions are shifted by a number, so that they differ from those of another engine.
///
/// Revisions belong to a store. When a server exchanges its store for another one, it still has records and
/// revisions of the one before: in requests that are in progress, and in memory. They must never be taken for
/// revisions of the new store: a write would pass a precondition that does not hold, or the bytes of another
/// version would be sent. All revisions of this engine are above a base that is above all others. To it, a
/// revision up to the base is one that nothing has any more: a precondition with it does not hold, bytes of
/// such a record are stale, and the history after it is lost.
///
/// Records are copied to be shifted. Each thread keeps those that it asked last, so that answers from memory
/// allocate nothing as long as the engine returns the same records.
#pragma once

#include "plugins/forwarding_engine.hpp"
#include "plugins/per_thread.hpp"

#include <gallery/storage.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::plugins {

/// The conversions of revisions and of everything that contains one.
class revision_shift {
public:
    explicit revision_shift(revision base);

    /// From the engine: 0 stays 0.
    [[nodiscard]] revision out(revision own) const noexcept { return own == 0 ? 0 : own + base_; }
    /// To the engine: 0 for a revision that is not its own.
    [[nodiscard]] revision in(revision shifted) const noexcept {
        return shifted > base_ ? shifted - base_ : 0;
    }
    [[nodiscard]] revision base() const noexcept { return base_; }

    /// The shifted record; null stays null.
    [[nodiscard]] record_ptr out(const record_ptr& own);
    /// The record as the engine returned it. Its content_rev is 0 if it is not of this engine.
    [[nodiscard]] record_ptr in(const image_record& shifted);
    /// The same without keeping it, for lists.
    [[nodiscard]] record_ptr copied_out(const record_ptr& own) const;
    void shift(kept_version& version) const;
    void shift(write_outcome& outcome);

    /// Cursors are marked, because that of another engine could be one of this, at another place.
    [[nodiscard]] std::string cursor_out(std::string own) const;
    /// Error: stale for the cursor of another engine.
    [[nodiscard]] result<std::string> cursor_in(std::string shifted) const;

private:
    /// A record of the engine and its shifted copy. Both are held, so that no other record can have their
    /// addresses.
    struct pair {
        record_ptr own;
        record_ptr shifted;
    };
    struct recent {
        std::array<pair, 256> by_own;
        std::array<pair, 256> by_shifted;
    };

    revision base_;
    std::string mark_;  ///< of cursors
    per_thread<recent> recent_;
};

class shifted_images final : public image_store {
public:
    shifted_images(image_store& inner, revision_shift& by) : inner_(inner), by_(by) {}

    GALLERY_OVERRIDE_IMAGE_STORE;
    task<result<checked_page<record_ptr>>> scan_readable(std::string cursor, std::size_t limit) override;
    task<result<checked_page<kept_version>>> kept_readable(std::string cursor, std::size_t limit) override;

private:
    task<result<precondition>> own_condition(precondition condition, tenant_id tenant, std::string key);

    image_store& inner_;
    revision_shift& by_;
};

class shifted_documents final : public document_store {
public:
    shifted_documents(document_store& inner, revision_shift& by) : inner_(inner), by_(by) {}

    GALLERY_OVERRIDE_DOCUMENT_STORE;

private:
    document_store& inner_;
    revision_shift& by_;
};

class shifted_feed final : public change_feed {
public:
    shifted_feed(change_feed& inner, revision_shift& by) : inner_(inner), by_(by) {}

    GALLERY_OVERRIDE_CHANGE_FEED;

private:
    change_feed& inner_;
    revision_shift& by_;
};

class shifted_engine final : public forwarding_engine {
public:
    /// @p inner outlives it. Its revisions plus @p base are below 2^63.
    shifted_engine(storage_engine& inner, revision base);

    image_store& images() noexcept override { return images_; }
    document_store& documents() noexcept override { return documents_; }
    change_feed& feed() noexcept override { return feed_; }

private:
    revision_shift by_;
    shifted_images images_;
    shifted_documents documents_;
    shifted_feed feed_;
};

}  // namespace gallery::plugins
