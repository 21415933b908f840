// SPDX-License-Identifier: Apache-2.0
#include "images/image_walk.hpp"

#include <gallery/image_order.hpp>

#include <algorithm>
#include <utility>

namespace gallery::images {
namespace {

constexpr int max_restarts = 64;
// How many images a page repeats, so that some may be erased before it without a second look.
constexpr std::uint64_t overlap = 16;

struct window {
    std::uint32_t size = image_walk::step;
    std::uint64_t page = 0;

    [[nodiscard]] std::uint64_t begin() const noexcept { return page * size; }
};

// A store counts in pages of one size from 0 on. Among the sizes of up to `step` there is one whose page
// begins shortly before any position.
window window_over(std::uint64_t position) {
    window best{image_walk::step, position / image_walk::step};
    for (auto size = image_walk::step; size > image_walk::step / 2; --size) {
        const auto before = position % size;
        if (before >= overlap && before < 4 * overlap) return {size, position / size};
        if (before < position - best.begin()) best = {size, position / size};
    }
    return best;
}

}  // namespace

image_walk::image_walk(image_service& images, image_read_permit may, image_query query, std::uint64_t first,
                       std::uint64_t count)
    : images_(images),
      may_(std::move(may)),
      query_(std::move(query)),
      first_(first),
      left_(count),
      at_(first) {}

// The index of what comes right behind the last image: by itself where it is in the page, else by the order.
std::size_t image_walk::first_new(const image_page& page) const {
    const auto& all = page.images;
    const auto itself =
        std::find_if(all.begin(), all.end(), [this](const auto& one) { return one->id == last_->id; });
    if (itself != all.end() && compare(**itself, *last_, query_.sort) == 0)
        return static_cast<std::size_t>(itself - all.begin()) + 1;
    const auto behind = std::find_if(all.begin(), all.end(), [this](const auto& one) {
        const int order = compare(*one, *last_, query_.sort);
        if (order != 0) return query_.descending ? order < 0 : order > 0;
        return last_->id < one->id;
    });
    return static_cast<std::size_t>(behind - all.begin());
}

task<result<std::vector<record_ptr>>> image_walk::next() {
    std::vector<record_ptr> out;
    if (is_at_end()) co_return out;
    for (int attempt = 0; attempt < max_restarts; ++attempt) {
        auto where = window_over(at_);
        // A page that one call can answer is asked for as it is.
        if (!last_ && left_ <= step && at_ % left_ == 0)
            where = {static_cast<std::uint32_t>(left_), at_ / left_};
        auto query = query_;
        query.page = where.page;
        query.page_size = where.size;
        auto page = co_await images_.list(may_.lend(), std::move(query));
        if (!page) co_return page.error();
        auto& found = page->images;
        total_ = page->total;
        const bool is_last_page = found.size() < where.size;
        std::size_t from = 0;
        if (last_) {
            from = first_new(*page);
            if (from == 0 && where.page > 0) {  // what was returned is before this page now
                at_ = where.begin() - std::min<std::uint64_t>(where.begin(), image_walk::step / 4);
                continue;
            }
            if (from == found.size() && !is_last_page) {  // and here behind it, or at its end
                at_ = where.begin() + found.size() - 1;
                continue;
            }
        } else {
            from = static_cast<std::size_t>(std::min<std::uint64_t>(at_ - where.begin(), found.size()));
        }
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(found.size() - from, left_));
        const auto begin = found.begin() + static_cast<std::ptrdiff_t>(from);
        out.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
        left_ -= count;
        returned_ += count;
        if (!out.empty()) {
            last_ = out.back();
            at_ = where.begin() + from + count - 1;
        }
        if (is_last_page && from + count == found.size()) {
            ended_ = true;
            if (returned_ > 0) total_ = first_ + returned_;
        }
        co_return out;
    }
    co_return error{errc::busy, "The list changes faster than it can be read. Try again."};
}

}  // namespace gallery::images
