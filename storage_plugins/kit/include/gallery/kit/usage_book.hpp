// SPDX-License-Identifier: Apache-2.0
/// The usage of each tenant, exact, and the limits of it.
#pragma once

#include <gallery/model.hpp>
#include <gallery/write.hpp>

#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace gallery::kit {

/// Counts what writes do to a tenant's usage. A write takes a charge before it begins and commits it once its
/// outcome is known to be committed. A limit is judged against what is stored and what the charges of writes
/// in progress add; what they take away counts only when it is committed. So no number of writers passes a
/// limit together. Thread-safe; outlives its charges.
class usage_book {
public:
    /// What one write adds to and takes away from its tenant's usage.
    struct difference {
        tenant_usage added;
        tenant_usage removed;
    };

    /// Gives back what it reserved unless it was committed.
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

    /// Empty where @p limit does not allow it.
    [[nodiscard]] std::optional<charge> take(const tenant_id& tenant, const difference& by,
                                             const usage_limit& limit = {});

    /// For opening a store, and for writes of other processes: applied at once.
    void apply(const tenant_id& tenant, const difference& by);

    /// As image_store::usage().
    [[nodiscard]] tenant_usage usage(const std::optional<tenant_id>& tenant) const;

    /// Of a save in place of @p previous (null where there is none), of an erasure (@p next is null), and of
    /// a kept version that is dropped or stored.
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
    void settle(std::unordered_map<tenant_id, account>::iterator where, const difference& by) noexcept;

    mutable std::mutex mutex_;
    std::unordered_map<tenant_id, account> accounts_;  ///< guarded by mutex_
    tenant_usage all_;                                 ///< guarded by mutex_
};

}  // namespace gallery::kit
