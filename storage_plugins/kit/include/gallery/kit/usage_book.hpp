// SPDX-License-Identifier: Apache-2.0
/// The exact usage of each tenant, and its limits.
#pragma once

#include <gallery/model.hpp>
#include <gallery/mutex.hpp>
#include <gallery/write.hpp>

#include <optional>
#include <unordered_map>
#include <utility>

namespace gallery::kit {

/// Counts the effect of writes on a tenant's usage. A write takes a charge before it begins and commits it
/// once its outcome is known to be committed. A limit is compared with the stored usage plus the charges of
/// writes in progress. Usage that they free counts only after their commit. Therefore concurrent writers
/// cannot exceed a limit together. Thread-safe; outlives its charges.
class usage_book {
public:
    /// The change of a tenant's usage by one write.
    struct difference {
        tenant_usage added;
        tenant_usage removed;
    };

    /// Returns its reservation unless it was committed.
    class charge {
    public:
        charge() = default;
        charge(charge&& other) noexcept
            : book_(std::exchange(other.book_, nullptr)), tenant_(other.tenant_), by_(other.by_) {}
        charge& operator=(charge&& other) noexcept {
            std::swap(book_, other.book_);
            std::swap(tenant_, other.tenant_);
            std::swap(by_, other.by_);
            return *this;
        }
        ~charge() {
            if (book_ != nullptr) book_->end(*this, false);
        }
        /// The write has happened. Called before its outcome is returned.
        void commit() noexcept {
            if (book_ != nullptr) std::exchange(book_, nullptr)->end(*this, true);
        }

    private:
        friend class usage_book;
        charge(usage_book& book, const tenant_id& tenant, const difference& by) noexcept
            : book_(&book), tenant_(tenant), by_(by) {}
        usage_book* book_ = nullptr;
        tenant_id tenant_;
        difference by_;
    };

    /// Empty if @p limit does not allow it.
    [[nodiscard]] std::optional<charge> take(const tenant_id& tenant, const difference& by,
                                             const usage_limit& limit = {});

    /// For opening a store, and for writes of other processes: applied immediately.
    void apply(const tenant_id& tenant, const difference& by);

    /// As image_store::usage().
    [[nodiscard]] tenant_usage usage(const std::optional<tenant_id>& tenant) const;

    /// For a save that replaces @p previous (null if there is none), for an erasure (@p next is null), and
    /// for a kept version that is dropped or stored.
    static difference of_write(const image_record* previous, const image_record* next,
                               const previous_version& rule) noexcept;
    static difference of_dropping(const image_record& kept) noexcept;
    static difference of_keeping(const image_record& kept) noexcept;

private:
    struct account {
        tenant_usage stored;
        usage_figures reserved;  ///< of images, by writes in progress
    };
    void end(const charge& what, bool committed) noexcept;
    void settle(std::unordered_map<tenant_id, account>::iterator where, const difference& by) noexcept
        GALLERY_REQUIRES(mutex_);

    mutable mutex mutex_;
    std::unordered_map<tenant_id, account> accounts_ GALLERY_GUARDED_BY(mutex_);
    tenant_usage all_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::kit
