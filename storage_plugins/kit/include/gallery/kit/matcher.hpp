// SPDX-License-Identifier: Apache-2.0
/// Decides which records match a query.
#pragma once

#include <gallery/error.hpp>
#include <gallery/model.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace gallery::kit {

/// The error of an invalid query: page_size 0, a text that is not UTF-8, an unknown order.
std::optional<error> refuse_query(const image_query& query);

/// The first position of a query's page; the largest number if it exceeds 64 bits.
std::uint64_t first_of(const image_query& query) noexcept;

/// The text search and the filter of one query, apart from tenant and sub type. Any thread.
class matcher {
public:
    /// Precondition: refuse_query(query) found nothing. @p query outlives this.
    explicit matcher(const image_query& query);

    /// False: every record of the tenant and sub type matches.
    [[nodiscard]] bool is_selective() const noexcept { return has_text() || has_filter_; }
    [[nodiscard]] bool has_text() const noexcept { return !folded_.empty(); }
    [[nodiscard]] bool has_filter() const noexcept { return has_filter_; }
    /// The folded text to search for; empty: none.
    [[nodiscard]] const std::string& folded_text() const noexcept { return folded_; }

    /// Whether a record passes the filter, regardless of the text.
    [[nodiscard]] bool passes(const image_record& record) const;
    /// Whether the names of a record contain the text; @p folded_title is fold_case(record.title).
    [[nodiscard]] bool contains_text(std::string_view folded_title, const image_record& record) const;
    /// Both.
    [[nodiscard]] bool matches(const image_record& record) const;

private:
    const image_query& query_;
    std::string folded_;
    bool has_filter_;
};

/// Whether @p text contains @p part. Faster than string_view::find on short texts.
bool contains(std::string_view text, std::string_view part) noexcept;

}  // namespace gallery::kit
