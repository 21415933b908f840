// SPDX-License-Identifier: Apache-2.0
// Which route a request is for, and what is answered where there is none.
#include "http/errors.hpp"
#include "http/exchange.hpp"
#include "http/io_thread.hpp"

#include <string>

namespace gallery::http {

namespace {

/// A path may have its prefix twice: once in a link, once before it.
constexpr int most_strips = 2;

}  // namespace

void exchange::find_client() {
    forwarded_ = forwarded_client(message_, rules_->front.trusted);
    message_.set_peer(forwarded_.empty() ? peer_ : std::string_view(forwarded_), is_secure_);
}

void exchange::refuse(const head_error& why) {
    start();
    // A head that was refused is not all there, so nothing in it names the client.
    if (from_proxy_) message_.set_peer(peer_, is_secure_);
    // The path without its prefix decides whether pages of other origins may read the answer.
    for (int strips = 0; message_.has(field::origin) && strips < most_strips && strip_prefix();)
        ++strips;
    answer_ = error_response(why.status, error_code::bad_request_params, why.message);
    answer_.close_connection();
}

void exchange::route_request(int strips) {
    const auto& routes = *rules_->routes;
    auto match = routes.find(message_);
    switch (match.what) {
        case router::outcome::found:
            target_ = match.target;
            return;
        case router::outcome::wrong_method:
            if (answer_preflight(match.allow)) return;
            answer_ = wrong_method(message_, match.allow);
            return;
        case router::outcome::bad_path:
            answer_ = error_response(
                {errc::invalid_argument,
                 "The path contains a '%' without two hexadecimal digits after it, or is not valid UTF-8"});
            return;
        case router::outcome::not_found:
            break;
    }
    if (strips < most_strips && strip_prefix()) {
        route_request(strips + 1);
        return;
    }
    if (answer_preflight({})) return;
    if (message_.verb() == method::options && message_.path() == "*") {
        answer_ = response::empty(204);
        answer_.add("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS");
        return;
    }
    if (!admit()) return;
    if (routes.fallback() && try_at_once(routes.fallback())) return;
    answer_ = error_response(404, error_code::item_not_found,
                             "There is no resource at '" + std::string(message_.path().substr(0, 256)) + "'");
}

bool exchange::admit() {
    if (!rules_->admit) return true;
    const auto admitted = rules_->admit(message_);
    if (!admitted) answer_ = error_response(admitted.error());
    return admitted.has_value();
}

// For proxies that pass the path on as the client sent it, and clients that write the prefix in front of a
// link that has it already. No route begins as a prefix does, so a request without one has found its route
// before.
bool exchange::strip_prefix() {
    const auto prefix = path_prefix(message_);
    auto path = message_.path();
    if (prefix.empty() || !path.starts_with(prefix)) return false;
    path.remove_prefix(prefix.size());
    if (!path.empty() && path.front() != '/') return false;
    message_.set_path(path.empty() ? std::string_view("/") : path);
    return true;
}

bool exchange::answer_preflight(std::string_view allow) {
    if (!message_.has(field::origin) || !cross_origin::is_preflight(message_)) return false;
    // The route that the request to come will find.
    auto& head = message_.mutable_head();
    head.verb = boost::beast::http::string_to_verb(message_.header("Access-Control-Request-Method"));
    const auto match = rules_->routes->find(message_);
    head.verb = method::options;
    message_.clear_params();
    message_.set_route_name({});
    const bool open = match.target != nullptr && match.target->options.open_to_pages;
    const auto& pages = rules_->cross_origin;
    if (!open && !(pages.enabled() && cross_origin::covers(message_.path()))) return false;
    answer_ = pages.answer_preflight(message_, open ? "GET, HEAD, OPTIONS" : allow, open);
    return true;
}

}  // namespace gallery::http
