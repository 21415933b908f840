// SPDX-License-Identifier: Apache-2.0
/// The lists and searches of one tenant's images in memory, without their records: for an engine that has its
/// records on a disk.
#pragma once

#include <gallery/model.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gallery::kit {

/// An image of a page, for whose record the engine asks its disk.
struct listed_image {
    image_id id;
    std::string key;
    bool of_system = false;
};

struct listed_page {
    std::vector<listed_image> images;
    std::uint64_t total = 0;  ///< of all pages
};

/// Contains the ids, names, times of creation and sizes of a tenant's images, and their orders: about 100
/// bytes for an image with names of 20 letters. It is the same code that searches a catalog. A page without
/// search and filter is O(log² n + page). A search reads the names, a million in a few milliseconds, and lets
/// changes in between. A change is O(log n).
///
/// Threads: loading by one, before others use it; everything else by any.
class tenant_index {
public:
    explicit tenant_index(const tenant_id& tenant);
    ~tenant_index();
    tenant_index(const tenant_index&) = delete;
    tenant_index& operator=(const tenant_index&) = delete;

    /// Adds an image. They are in lists after finish_loading(). Precondition: no two have the same key or id.
    void load(const image_record& record);
    void finish_loading();

    /// Puts one image in place of another; either may be null. Calls @p is_wanted first, under the lock under
    /// which lists are made, and changes nothing if it returns false. Precondition: it contains @p before,
    /// and otherwise no image with the key of @p after.
    void change(const image_record* before, const image_record* after,
                const std::function<bool()>& is_wanted);

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::size_t size(image_sub_type type) const;
    /// Memory that it takes. O(n / 256).
    [[nodiscard]] std::size_t bytes() const;

    /// Whether list() can apply the query's filter. The index contains times of creation and sizes only.
    [[nodiscard]] static bool knows(const image_filter& filter) noexcept;

    /// The query's page. @p begin is called once under the locks of both indexes. The page is of that moment,
    /// or there is none, if it returns false. @p system: null unless the query includes system images and is
    /// of another tenant. Preconditions: refuse_query(query) found nothing; knows(query.filter).
    static std::optional<listed_page> list(const tenant_index& own, const tenant_index* system,
                                           const image_query& query, const std::function<bool()>& begin);

    /// What is not in order, for tests; empty if everything is.
    [[nodiscard]] std::string verify() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace gallery::kit
