// SPDX-License-Identifier: Apache-2.0
/// Pages of accounts: the part of a list that a client asks for, searched and sorted.
#pragma once

#include "api/pages.hpp"
#include "http/request.hpp"
#include "turns/fair_pool.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>
#include <gallery/text.hpp>
#include <gallery/uuid.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gallery::api {

/// What accounts are sorted by: texts as ICU's root collation has them, then numbers.
struct sort_key {
    std::string text;
    std::int64_t number = 0;
};

/// A value of sortProperty.
template <class Account>
struct sort_column {
    std::string_view name;
    sort_key (*key_of)(const Account&);
};

/// The key of a field of the account.
template <auto Member, class Account>
sort_key key_of_member(const Account& account) {
    sort_key key;
    if constexpr (std::is_convertible_v<decltype(account.*Member), std::string>) {
        key.text = account.*Member;
    } else {
        key.number = account.*Member;
    }
    return key;
}

struct page_request {
    page_bounds bounds;
    std::string text_search;  ///< case-folded
    std::size_t column = 0;   ///< the position of the sort property
    bool descending = false;
};

/// pageSize and page (both required), textSearch, sortProperty, sortOrder. Without a sort property: the first
/// of
/// @p sort_properties, descending. Error: invalid_argument naming the parameter and its values.
result<page_request> parse_page_request(const http::request& message,
                                        std::span<const std::string_view> sort_properties);

/// Accounts of a page, rendered piece by piece. Accounts are immutable and shared, so that the page is that
/// of one moment.
template <class Account>
class account_items final : public page_items {
public:
    using render = boost::json::object (*)(const Account&, std::int64_t now);
    account_items(std::vector<std::shared_ptr<const Account>> page, std::uint64_t total, render to_json,
                  std::int64_t now)
        : page_(std::move(page)), total_(total), to_json_(to_json), now_(now) {}

    task<result<boost::json::array>> next() override {
        boost::json::array items;
        for (; !is_at_end() && items.size() < piece; ++at_)
            items.push_back(to_json_(*page_[at_], now_));
        co_return items;
    }
    [[nodiscard]] bool is_at_end() const override { return at_ == page_.size(); }
    [[nodiscard]] std::uint64_t total() const override { return total_; }

private:
    std::vector<std::shared_ptr<const Account>> page_;
    std::uint64_t total_;
    render to_json_;
    std::int64_t now_;
    std::size_t at_ = 0;
};

/// How a list of accounts is searched, sorted and rendered.
template <class Account>
struct account_listing {
    std::span<const sort_column<Account>> columns;  ///< the first is the default, newest first
    std::string Account::*searched;                 ///< what textSearch is looked for in
    typename account_items<Account>::render to_json;
};

/// The accounts of a page, and of how many they are a part.
template <class Account>
struct account_selection {
    std::vector<std::shared_ptr<const Account>> part;
    std::uint64_t total = 0;
};

/// Searches and sorts @p all, by the column and then by id. Takes about a millisecond per thousand accounts.
template <class Account>
account_selection<Account> select_accounts(std::vector<std::shared_ptr<const Account>> all,
                                           const account_listing<Account>& listing,
                                           const page_request& page) {
    if (!page.text_search.empty()) {
        std::erase_if(all, [&](const auto& one) {
            return fold_case((*one).*listing.searched).find(page.text_search) == std::string::npos;
        });
    }
    struct row {
        sort_key key;
        std::shared_ptr<const Account> account;
    };
    std::vector<row> rows;
    rows.reserve(all.size());
    for (auto& one : all) {
        row next;
        next.key = listing.columns[page.column].key_of(*one);
        next.key.text = collation_key(next.key.text);
        next.account = std::move(one);
        rows.push_back(std::move(next));
    }
    const auto before = [&](const row& a, const row& b) {
        if (a.key.text != b.key.text) return (a.key.text < b.key.text) != page.descending;
        if (a.key.number != b.key.number) return (a.key.number < b.key.number) != page.descending;
        return a.account->id < b.account->id;
    };
    std::sort(rows.begin(), rows.end(), before);
    const auto begin = std::min<std::uint64_t>(page.bounds.first(), rows.size());
    const auto count = std::min<std::uint64_t>(page.bounds.size, rows.size() - begin);
    account_selection<Account> out;
    out.total = rows.size();
    out.part.reserve(static_cast<std::size_t>(count));
    for (auto at = begin; at < begin + count; ++at)
        out.part.push_back(std::move(rows[static_cast<std::size_t>(at)].account));
    return out;
}

/// Lists of more accounts are sorted in the background.
inline constexpr std::size_t sorted_at_once = 2000;

/// The page of @p all that was asked for. @p now is passed to the rendering. Errors, besides those of
/// parse_page_request(): those of @p background, of which @p who is the user.
template <class Account>
task<result<http::response>> account_page(fair_pool<tenant_id>& background, tenant_id who,
                                          const http::request& message,
                                          std::vector<std::shared_ptr<const Account>> all,
                                          account_listing<Account> listing, std::int64_t now = 0) {
    std::vector<std::string_view> names;
    for (const auto& column : listing.columns)
        names.push_back(column.name);
    const auto page = parse_page_request(message, names);
    if (!page) co_return page.error();
    account_selection<Account> chosen;
    if (all.size() <= sorted_at_once) {
        chosen = select_accounts(std::move(all), listing, *page);
    } else {
        auto work = [all = std::move(all), listing,
                     asked = *page]() mutable -> result<account_selection<Account>> {
            return select_accounts(std::move(all), listing, asked);
        };
        auto done = co_await background.run(who, std::move(work));
        if (!done) co_return done.error();
        chosen = std::move(*done);
    }
    auto items =
        std::make_unique<account_items<Account>>(std::move(chosen.part), chosen.total, listing.to_json, now);
    auto answer = page_response(std::move(items), page->bounds);
    co_return co_await std::move(answer);
}

}  // namespace gallery::api
