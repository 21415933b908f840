// SPDX-License-Identifier: Apache-2.0
#include "app/client_admission.hpp"

#include "accounts/request_limits.hpp"
#include "auth/network.hpp"
#include "http/forwarded.hpp"
#include "http/request.hpp"

#include <string>
#include <utility>

namespace gallery::app {

namespace {

error too_many_of_client(const auth::client_limit& limit, std::uint32_t seconds) {
    return {errc::too_many_requests,
            "Too many requests from your address! Without a login, this server allows each address " +
                auth::text_of(limit.rates()) + ". Try again in " + std::to_string(seconds) + " s.",
            seconds};
}

}  // namespace

http::admit_client client_admission::by(const config::server_settings& settings) {
    auto rates = accounts::request_rates_of(settings.public_requests_per_client);
    if (rates.empty()) {
        limit_.reset();
        return {};
    }
    if (!limit_ || limit_->rates() != rates) limit_ = std::make_shared<auth::client_limit>(std::move(rates));
    return [this, limit = limit_](const http::request& message) -> result<void> {
        const auto address = auth::parse_address(message.remote_address());
        // Requests of this machine have no limit. A forwarded request is not one of them, even if it came
        // from a proxy on this machine: without a readable address of the client it has the proxy's, and all
        // such requests share the proxy's limit.
        if (!address || (address->is_loopback() && !http::is_forwarded(message))) return {};
        const auto wait = limit->take(auth::network_key_of(*address), auth::client_limit::clock::now());
        if (!wait) return {};
        refused_.fetch_add(1, std::memory_order_relaxed);
        return too_many_of_client(*limit, *wait);
    };
}

}  // namespace gallery::app
