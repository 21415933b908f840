// SPDX-License-Identifier: Apache-2.0
/// Pages of accounts: which part of a list a client asked for, and that part of it.
#pragma once

#include "api/pages.hpp"
#include "http/request.hpp"

#include <gallery/error.hpp>
#include <gallery/text.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::api {

struct page_request {
    page_bounds bounds;
    std::string text_search;    ///< case-folded
    std::string sort_property;  ///< one of those allowed
    bool descending = false;
};

/// pageSize and page (both required), textSearch, sortProperty, sortOrder. Without a sort property the newest
/// comes first. Error: invalid_argument naming the parameter and what it takes.
result<page_request> parse_page_request(const http::request& message,
                                        std::initializer_list<std::string_view> sort_properties);

/// Accounts that were found and sorted, rendered piece by piece. Accounts are immutable and shared, so that
/// the page is that of one moment.
template <class Account, class Render>
class account_items final : public page_items {
public:
    account_items(std::vector<Account> page, std::uint64_t total, Render render)
        : page_(std::move(page)), total_(total), render_(std::move(render)) {}

    task<result<boost::json::array>> next() override {
        boost::json::array items;
        for (; !is_at_end() && items.size() < piece; ++at_)
            items.push_back(render_(*page_[at_]));
        co_return items;
    }
    [[nodiscard]] bool is_at_end() const override { return at_ == page_.size(); }
    [[nodiscard]] std::uint64_t total() const override { return total_; }

private:
    std::vector<Account> page_;
    std::uint64_t total_;
    Render render_;
    std::size_t at_ = 0;
};

/// The page of @p all that was asked for. @p text_of(account) is searched; sorted by @p sort_text(account,
/// property), empty for numeric properties, then by @p sort_number(account, property), 0 for textual ones,
/// then by id; @p render makes the JSON.
template <class Account, class TextOf, class SortText, class SortNumber, class Render>
std::unique_ptr<page_items> account_page(std::vector<Account> all, const page_request& page, TextOf text_of,
                                         SortText sort_text, SortNumber sort_number, Render render) {
    if (!page.text_search.empty()) {
        std::erase_if(all, [&](const Account& one) {
            return fold_case(text_of(*one)).find(page.text_search) == std::string::npos;
        });
    }
    struct row {
        std::string text;
        std::int64_t number = 0;
        Account account;
    };
    std::vector<row> rows;
    rows.reserve(all.size());
    for (auto& one : all) {
        row next;
        next.text = collation_key(sort_text(*one, page.sort_property));
        next.number = sort_number(*one, page.sort_property);
        next.account = std::move(one);
        rows.push_back(std::move(next));
    }
    const auto before = [&](const row& a, const row& b) {
        if (a.text != b.text) return (a.text < b.text) != page.descending;
        if (a.number != b.number) return (a.number < b.number) != page.descending;
        return a.account->id < b.account->id;
    };
    std::sort(rows.begin(), rows.end(), before);
    const auto begin = std::min<std::uint64_t>(page.bounds.first(), rows.size());
    const auto count = std::min<std::uint64_t>(page.bounds.size, rows.size() - begin);
    std::vector<Account> part;
    part.reserve(static_cast<std::size_t>(count));
    for (auto at = begin; at < begin + count; ++at)
        part.push_back(std::move(rows[static_cast<std::size_t>(at)].account));
    return std::make_unique<account_items<Account, Render>>(std::move(part), rows.size(), std::move(render));
}

}  // namespace gallery::api
