// SPDX-License-Identifier: Apache-2.0
/// PageData: a part of a list, of any size.
#pragma once

#include "http/query.hpp"
#include "http/response.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace gallery::api {

/// Which part: the parameters pageSize and page.
struct page_bounds {
    std::uint64_t size = 10;   ///< at least 1
    std::uint64_t number = 0;  ///< from 0 on

    /// The position of the page's first item; beyond every list where it cannot be expressed.
    [[nodiscard]] std::uint64_t first() const noexcept;
};

/// Both are required. pageSize has no upper bound but that of 64-bit numbers, page that of 32-bit ones.
/// Error: invalid_argument naming the parameter and what it takes.
result<page_bounds> parse_page_bounds(const http::query_view& query);

/// "Parameter '...' is '...'. It takes ..."
error bad_parameter(std::string_view name, std::string_view value, std::string_view expected);

/// ASC or DESC in any case; false where the parameter is missing or empty.
result<bool> parse_descending(const http::query_view& query);

boost::json::object page_data(boost::json::array data, const page_bounds& bounds, std::uint64_t total);

/// The items of one page, in pieces.
class page_items {
public:
    /// Items in a piece at most.
    static constexpr std::size_t piece = 1000;

    page_items() = default;
    page_items(const page_items&) = delete;
    page_items& operator=(const page_items&) = delete;
    virtual ~page_items() = default;

    /// The next ones; none at the end of the page.
    virtual task<result<boost::json::array>> next() = 0;
    /// Whether next() has nothing more to return.
    [[nodiscard]] virtual bool is_at_end() const = 0;
    /// Of all pages, as far as is known.
    [[nodiscard]] virtual std::uint64_t total() const = 0;
};

/// 200 with the page. One piece is sent as a whole; a longer page is made while it is sent, so that no more
/// than a piece of it is in memory. Errors: those of the first piece.
task<result<http::response>> page_response(std::unique_ptr<page_items> items, page_bounds bounds);

}  // namespace gallery::api
