// SPDX-License-Identifier: Apache-2.0
#include "api/endpoint.hpp"

#include "api/upload_form.hpp"
#include "http/errors.hpp"

#include <string>

namespace gallery::api {

task<result<http::response>> detail::refusal(error why) {
    co_return why;
}

void detail::refuse(http::response& out, const error& why) {
    out = http::error_response(why);
}

std::uint64_t body_limit(body_kind kind, content_limit content) noexcept {
    switch (kind) {
        case body_kind::none:
            return 0;
        case body_kind::json:
        case body_kind::document:
        case body_kind::image_list:
            return content.bytes;
        case body_kind::image_list_form:
            // Each byte may be percent-encoded.
            return 3 * content.bytes + form_envelope;
        case body_kind::picture_form:
            return content.bytes + form_envelope;
        case body_kind::picture_document:
            return content.bytes / 3 * 4 + form_envelope;
    }
    return 0;
}

void add_route(http::router& routes, const endpoint_facts& facts, bool open_to_pages, content_limit limit,
               http::handler answer, http::hot_handler answer_now) {
    http::route_options options;
    options.name = facts.name;
    options.body_limit = body_limit(facts.body, limit);
    options.open_to_pages = open_to_pages;
    options.limits_clients = facts.access.anonymous && !facts.is_probe;
    if (answer_now) routes.add_hot(facts.verb, facts.pattern, std::move(answer_now));
    routes.add(facts.verb, facts.pattern, std::move(answer), std::move(options));
}

}  // namespace gallery::api
