// SPDX-License-Identifier: Apache-2.0
#include "limit_targets.hpp"

#include "accounts/profile_data.hpp"
#include "accounts/rate_format.hpp"
#include "exact.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace gallery::fuzz {

namespace {

/// The rates as they are written.
std::string text_of(const std::vector<accounts::rate>& rates) {
    std::string out;
    for (const auto& one : rates) {
        if (!out.empty()) out += ',';
        out += std::to_string(one.requests) + ':' + std::to_string(one.seconds);
    }
    return out;
}

bool same(const accounts::tenant_limits_ptr& a, const accounts::tenant_limits_ptr& b) {
    return a == nullptr || b == nullptr ? a == b : *a == *b;
}

}  // namespace

void rates(std::string_view input) {
    const exact text(input);
    const auto found = accounts::parse_rates(text.view());
    if (!found) {
        hold(!found.error().message.empty() && found.error().message.size() < 300, "a refusal is short",
             input);
        return;
    }
    hold(found->size() <= accounts::max_rates && found->empty() == input.empty(), "rates are few", input);
    std::set<std::uint32_t> periods;
    for (const auto& one : *found)
        hold(one.requests > 0 && one.seconds > 0 && periods.insert(one.seconds).second, "a rate is sound",
             input);
    const auto again = accounts::parse_rates(text_of(*found));
    hold(again && *again == *found, "what was read can be written", input);
}

void profile_data(std::string_view input) {
    const exact text(input);
    accounts::tenant_profile sent;
    sent.name = "name";
    const auto set = accounts::set_data(sent, text.view());
    if (!set) {
        hold(!set.error().message.empty() && set.error().message.size() < 1000, "a refusal is short", input);
        hold(sent.data.empty() && !sent.limits, "a refusal changes nothing", input);
    } else {
        if (sent.limits) {
            hold(sent.limits->max_resource_size < std::uint64_t{1} << 54 &&
                     sent.limits->max_resources_bytes < std::uint64_t{1} << 54,
                 "a size is exact for JavaScript", input);
            for (const auto& limit : {sent.limits->tenant_requests, sent.limits->customer_requests})
                hold(accounts::parse_rates(limit).has_value(), "a limit is a limit", input);
        }
        accounts::tenant_profile again;
        hold(accounts::set_data(again, sent.data) && again.data == sent.data &&
                 same(again.limits, sent.limits),
             "what was kept is accepted as it is", input);
        accounts::tenant_profile stored;
        hold(accounts::restore_data(stored, sent.data) && stored.data == sent.data &&
                 same(stored.limits, sent.limits),
             "what was kept is restored as it is", input);
    }
    accounts::tenant_profile of_another_version;
    if (accounts::restore_data(of_another_version, std::string(input)) && !input.empty())
        hold(of_another_version.data == input, "stored data stays as it is", input);
}

}  // namespace gallery::fuzz
