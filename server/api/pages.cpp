// SPDX-License-Identifier: Apache-2.0
#include "api/pages.hpp"

#include <gallery/characters.hpp>

#include <boost/json/serialize.hpp>

#include <limits>
#include <string>
#include <utility>

namespace gallery::api {
namespace {

namespace json = boost::json;

result<std::uint64_t> number(const http::query_view& query, const char* name, std::int64_t least,
                             std::int64_t most) {
    const auto text = query.require(name);
    if (!text) return text.error();
    const auto value = query.get_integer(name);
    if (!value) return value.error();
    if (!*value || **value < least || **value > most)
        return bad_parameter(name, *text,
                             "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return static_cast<std::uint64_t>(**value);
}

void put_totals(json::object& out, const page_bounds& bounds, std::uint64_t total) {
    const auto pages = total / bounds.size + (total % bounds.size != 0 ? 1 : 0);
    out["totalPages"] = pages;
    out["totalElements"] = total;
    out["hasNext"] = bounds.number + 1 < pages;
}

/// {"data":[ items , items ],"totalPages":...}
class page_stream final : public http::content_stream {
public:
    page_stream(std::unique_ptr<page_items> items, page_bounds bounds, json::array first)
        : items_(std::move(items)), bounds_(bounds), waiting_(std::move(first)) {}

    task<result<bytes>> next() override {
        if (ended_) co_return bytes();
        std::string text = has_items_ ? "," : "{\"data\":[";
        if (waiting_.empty() && !items_->is_at_end()) {
            auto more = co_await items_->next();
            if (!more) co_return more.error();
            waiting_ = std::move(*more);
        }
        if (waiting_.empty()) {
            if (has_items_) text.clear();
            ended_ = true;
            json::object totals;
            put_totals(totals, bounds_, items_->total());
            text += "]," + json::serialize(totals).substr(1);
            co_return bytes::own(std::move(text));
        }
        has_items_ = true;
        const auto items = json::serialize(std::exchange(waiting_, {}));
        text.append(items, 1, items.size() - 2);
        co_return bytes::own(std::move(text));
    }

private:
    std::unique_ptr<page_items> items_;
    page_bounds bounds_;
    json::array waiting_;
    bool has_items_ = false;
    bool ended_ = false;
};

}  // namespace

std::uint64_t page_bounds::first() const noexcept {
    std::uint64_t position = 0;
    if (__builtin_mul_overflow(number, size, &position)) return std::numeric_limits<std::uint64_t>::max();
    return position;
}

error bad_parameter(std::string_view name, std::string_view value, std::string_view expected) {
    return {errc::invalid_argument, "Parameter '" + std::string(name) + "' is '" +
                                        std::string(value.substr(0, 80)) + "'. Expected " +
                                        std::string(expected) + "."};
}

result<page_bounds> parse_page_bounds(const http::query_view& query) {
    page_bounds bounds;
    const auto size = number(query, "pageSize", 1, std::numeric_limits<std::int64_t>::max());
    if (!size) return size.error();
    bounds.size = *size;
    const auto page = number(query, "page", 0, std::numeric_limits<std::int32_t>::max());
    if (!page) return page.error();
    bounds.number = *page;
    return bounds;
}

result<bool> parse_descending(const http::query_view& query) {
    const auto order = query.get("sortOrder");
    if (!order) return order.error();
    if (!*order || (*order)->empty()) return false;
    const auto upper = ascii_upper(**order);
    if (upper != "ASC" && upper != "DESC") return bad_parameter("sortOrder", **order, "ASC or DESC");
    return upper == "DESC";
}

json::object page_data(json::array data, const page_bounds& bounds, std::uint64_t total) {
    json::object page;
    page["data"] = std::move(data);
    put_totals(page, bounds, total);
    return page;
}

task<result<http::response>> page_response(std::unique_ptr<page_items> items, page_bounds bounds) {
    auto first = co_await items->next();
    if (!first) co_return first.error();
    if (items->is_at_end()) {
        co_return http::response::json(200, page_data(std::move(*first), bounds, items->total()));
    }
    auto answer = http::response::json_text(200, bytes());
    answer.set_stream(std::make_unique<page_stream>(std::move(items), bounds, std::move(*first)));
    co_return answer;
}

}  // namespace gallery::api
