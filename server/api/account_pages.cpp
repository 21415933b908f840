// SPDX-License-Identifier: Apache-2.0
#include "api/account_pages.hpp"

#include "http/query.hpp"

namespace gallery::api {

result<page_request> parse_page_request(const http::request& message,
                                        std::initializer_list<std::string_view> sort_properties) {
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
        out.sort_property = "createdTime";
        out.descending = true;
        return out;
    }
    if (std::find(sort_properties.begin(), sort_properties.end(), **property) == sort_properties.end()) {
        std::string expected = "one of ";
        for (const auto known : sort_properties) {
            if (known != *sort_properties.begin()) expected += ", ";
            expected += known;
        }
        return bad_parameter("sortProperty", **property, expected);
    }
    out.sort_property = **property;
    return out;
}

}  // namespace gallery::api
