/// Pages of accounts: which part of a list a client asked for, and that part of it.
#pragma once

#include "http/request.hpp"

#include <gallery/error.hpp>
#include <gallery/text.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::api {

struct page_request {
    std::uint64_t page_size = 10;
    std::uint64_t page = 0;
    std::string text_search;    ///< case-folded
    std::string sort_property;  ///< one of those allowed
    bool descending = false;
};

/// pageSize and page (both required), textSearch, sortProperty, sortOrder. Without a sort property the newest
/// comes first. Error: invalid_argument naming the parameter and what it takes.
result<page_request> parse_page_request(const http::request& message,
                                        std::initializer_list<std::string_view> sort_properties);

/// PageData around what render_page() or another made.
boost::json::object page_data(boost::json::array data, const page_request& page, std::uint64_t total);

/// The page of @p all that was asked for. @p text_of(account) is searched; sorted by @p sort_text(account,
/// property), empty for numeric properties, then by @p sort_number(account, property), 0 for textual ones,
/// then by id; @p render makes the JSON.
template <class Account, class TextOf, class SortText, class SortNumber, class Render>
boost::json::object render_page(std::vector<Account> all, const page_request& page, TextOf text_of,
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
        next.text = fold_case(sort_text(*one, page.sort_property));
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
    boost::json::array data;
    const std::uint64_t begin = std::min<std::uint64_t>(page.page * page.page_size, rows.size());
    const std::uint64_t end = std::min<std::uint64_t>(begin + page.page_size, rows.size());
    for (auto at = begin; at < end; ++at)
        data.push_back(render(*rows[at].account));
    return page_data(std::move(data), page, rows.size());
}

}  // namespace gallery::api
