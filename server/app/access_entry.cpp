// SPDX-License-Identifier: Apache-2.0
#include "app/access_entry.hpp"

#include "api/authentication.hpp"

namespace gallery::app {

namespace {

constexpr unsigned not_modified = 304;
constexpr unsigned first_error = 400;

cache_outcome outcome_of(const http::finished_exchange& e) noexcept {
    if (!e.may_be_hot || e.status >= first_error) return cache_outcome::none;
    if (!e.hot) return cache_outcome::miss;
    return e.status == not_modified ? cache_outcome::revalidated : cache_outcome::hit;
}

}  // namespace

access_entry entry_of(const http::finished_exchange& e, std::int64_t milliseconds) noexcept {
    access_entry entry;
    entry.milliseconds = milliseconds;
    entry.id = e.message.request_id();
    entry.trace = e.message.trace_id();
    entry.client = e.remote_address;
    if (const auto* const who = api::known_principal(e.message)) {
        entry.user = &who->user.value;
        entry.tenant = &who->tenant.value;
        if (who->api_key) entry.api_key = &who->api_key->value;
    }
    entry.method = e.message.verb_text();
    entry.target = e.target;
    entry.version = e.message.version();
    entry.route = e.route;
    entry.status = e.status;
    entry.received = e.bytes_in;
    entry.sent = e.bytes_out;
    entry.duration = e.duration;
    entry.cache = outcome_of(e);
    entry.complete = e.complete;
    entry.referrer = e.message.header(http::field::referer);
    entry.user_agent = e.message.header(http::field::user_agent);
    return entry;
}

}  // namespace gallery::app
