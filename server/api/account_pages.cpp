#include "api/account_pages.hpp"

#include "http/query.hpp"

#include <limits>

namespace gallery::api {
namespace {

constexpr std::int64_t max_page_size = 10'000;

error bad(std::string_view name, std::string_view value, const std::string& expected) {
    return {errc::invalid_argument, "Parameter '" + std::string(name) + "' is '" +
                                        std::string(value.substr(0, 80)) + "'. It takes " + expected + "."};
}

result<std::uint64_t> number(const http::query_view& query, const char* name, std::int64_t least,
                             std::int64_t most) {
    const auto text = query.require(name);
    if (!text) return text.error();
    const auto value = query.get_integer(name);
    if (!value) return value.error();
    if (!*value || **value < least || **value > most) {
        return bad(name, *text, "a number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return static_cast<std::uint64_t>(**value);
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return text;
}

}  // namespace

result<page_request> parse_page_request(const http::request& message,
                                        std::initializer_list<std::string_view> sort_properties) {
    const http::query_view query(message.query());
    page_request out;
    const auto size = number(query, "pageSize", 1, max_page_size);
    if (!size) return size.error();
    out.page_size = *size;
    const auto page = number(query, "page", 0, std::numeric_limits<std::int32_t>::max());
    if (!page) return page.error();
    out.page = *page;
    const auto search = query.get("textSearch");
    if (!search) return search.error();
    if (*search) out.text_search = fold_case(**search);
    const auto property = query.get("sortProperty");
    if (!property) return property.error();
    const auto order = query.get("sortOrder");
    if (!order) return order.error();
    if (*order && !(*order)->empty()) {
        const auto direction = upper(**order);
        if (direction != "ASC" && direction != "DESC") return bad("sortOrder", **order, "ASC or DESC");
        out.descending = direction == "DESC";
    }
    if (!*property || (*property)->empty()) {
        out.sort_property = "createdTime";
        out.descending = true;
        return out;
    }
    if (std::find(sort_properties.begin(), sort_properties.end(), **property) == sort_properties.end()) {
        std::string expected;
        for (const auto known : sort_properties) {
            if (!expected.empty()) expected += ", ";
            expected += known;
        }
        return bad("sortProperty", **property, "one of " + expected);
    }
    out.sort_property = **property;
    return out;
}

boost::json::object page_data(boost::json::array data, const page_request& page, std::uint64_t total) {
    boost::json::object out;
    out["data"] = std::move(data);
    out["totalPages"] = (total + page.page_size - 1) / page.page_size;
    out["totalElements"] = total;
    out["hasNext"] = (page.page + 1) * page.page_size < total;
    return out;
}

}  // namespace gallery::api
