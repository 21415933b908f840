// SPDX-License-Identifier: Apache-2.0
/// A long part of a list of images, page by page, for responses without a size limit.
#pragma once

#include "images/image_service.hpp"

#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/task.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gallery::images {

/// Walks the images of a list from a position, up to a number of them.
///
/// The store numbers a list again at each call, so a write between two calls moves the following images.
/// Therefore each page overlaps the previous one, and the walk continues after the last image that it
/// returned. An image that exists all the time, and keeps its place in the order, is returned exactly once.
/// An image that is added, erased or moved meanwhile may or may not be returned. Threads: one coroutine at a
/// time. The service outlives the walk.
class image_walk {
public:
    /// Images that one call to the store asks for at most.
    static constexpr std::uint32_t step = 1000;

    /// tenant, page and page_size of @p query are not used. At most @p count images from position @p first
    /// on.
    image_walk(image_service& images, image_read_permit may, image_query query, std::uint64_t first,
               std::uint64_t count);

    /// The next ones, at most `step`; none at the end. Errors: those of the store; busy where the list
    /// changes faster than it can be read.
    task<result<std::vector<record_ptr>>> next();

    /// Whether next() has nothing more to return.
    [[nodiscard]] bool is_at_end() const noexcept { return left_ == 0 || ended_; }

    /// How many images the list has: as of the last call, and exactly what was returned and comes before it
    /// once the walk has come to the list's end.
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

private:
    [[nodiscard]] std::size_t first_new(const image_page& page) const;

    image_service& images_;
    image_read_permit may_;
    image_query query_;
    std::uint64_t first_;
    std::uint64_t left_;
    std::uint64_t at_;  // where the last image was seen, or where the first one is
    std::uint64_t returned_ = 0;
    std::uint64_t total_ = 0;
    bool ended_ = false;
    record_ptr last_;  // of those returned; null before the first
};

}  // namespace gallery::images
