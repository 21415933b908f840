// SPDX-License-Identifier: Apache-2.0
#include "api/account_pages.hpp"

#include "http/query.hpp"

namespace gallery::api {

result<page_request> parse_page_request(const http::request& message,
                                        std::span<const std::string_view> sort_properties) {
    const http::query_view query(message.query());
    page_request out;
    const auto bounds = parse_page_bounds(query);
    if (!bounds) return bounds.error();
    out.bounds = *bounds;
    const auto search = query.get("textSearch");
    if (!search) return search.error();
    if (*search) out.text_search = fold_case(**search);
    const auto property = query.get("sortProperty");
    if (!property) return property.error();
    const auto descending = parse_descending(query);
    if (!descending) return descending.error();
    out.descending = *descending;
    if (!*property || (*property)->empty()) {
        out.descending = true;
        return out;
    }
    const auto found = std::ranges::find(sort_properties, **property);
    if (found == sort_properties.end()) {
        std::string expected = "one of ";
        for (const auto known : sort_properties) {
            if (known != sort_properties.front()) expected += ", ";
            expected += known;
        }
        return bad_parameter("sortProperty", **property, expected);
    }
    out.column = static_cast<std::size_t>(found - sort_properties.begin());
    return out;
}

}  // namespace gallery::api
