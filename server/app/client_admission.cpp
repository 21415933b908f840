// SPDX-License-Identifier: Apache-2.0
#include "app/client_admission.hpp"

#include "accounts/request_limits.hpp"
#include "auth/network.hpp"

#include <string>
#include <string_view>
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
    return [this, limit = limit_](std::string_view client) -> result<void> {
        const auto address = auth::parse_address(client);
        // Of this machine only. What another proxy passes on without a usable address of the client counts
        // as the proxy's own, so that nobody evades the limit by a header that cannot be read.
        if (!address || address->is_loopback()) return {};
        const auto wait = limit->take(auth::network_key_of(*address), auth::client_limit::clock::now());
        if (!wait) return {};
        refused_.fetch_add(1, std::memory_order_relaxed);
        return too_many_of_client(*limit, *wait);
    };
}

}  // namespace gallery::app
