// SPDX-License-Identifier: Apache-2.0
#include "accounts/download_tickets.hpp"

#include "auth/random.hpp"

#include <gallery/encode.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace gallery::accounts {
namespace {

namespace json = boost::json;

constexpr std::size_t max_ticket_size = 8192;

error bad_ticket() {
    return {errc::unauthenticated, "The ticket of this download is not valid. Start the download again."};
}

error no_longer_admitted() {
    return {errc::unauthenticated, "Authentication failed"};
}

/// No token and no activation link is signed as this text.
std::string mac_of(const auth::token_codec& codec, std::string_view payload) {
    auto text = "gallery-download\n" + std::string(payload);
    return codec.mac(text).substr(0, 32);
}

std::int64_t seconds_of(download_tickets::time_point when) {
    return std::chrono::duration_cast<std::chrono::seconds>(when.time_since_epoch()).count();
}

/// What issue() has written.
struct ticket_content {
    auth::principal who;
    sha256_digest what{};
    std::int64_t since = 0;
};

/// Its signature was checked.
std::optional<ticket_content> read_content(std::string_view text) {
    boost::system::error_code failed;
    const auto value = json::parse(text, failed);
    const auto* const object = failed ? nullptr : value.if_object();
    if (object == nullptr) return std::nullopt;
    const auto text_of = [object](std::string_view name) -> std::string {
        const auto* const found = object->if_contains(name);
        return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
    };
    const auto* const issued_at = object->if_contains("at");
    const auto* const has_account = object->if_contains("account");
    const auto what = parse_sha256(text_of("what"));
    const auto role = auth::parse_authority(text_of("role"));
    const auto user = parse_uuid(text_of("user"));
    const auto tenant = parse_uuid(text_of("tenant"));
    if (issued_at == nullptr || !issued_at->is_int64() || has_account == nullptr || !has_account->is_bool() ||
        !what || !role || !user || !tenant) {
        return std::nullopt;
    }
    auth::principal who;
    who.user.value = *user;
    who.tenant.value = *tenant;
    who.role = *role;
    who.session = text_of("session");
    who.has_account = has_account->get_bool();
    if (const auto customer = parse_uuid(text_of("customer"))) who.customer = customer_id{*customer};
    if (const auto key = parse_uuid(text_of("apiKey"))) who.api_key = api_key_id{*key};
    return ticket_content{std::move(who), *what, issued_at->get_int64()};
}

}  // namespace

std::string download_tickets::issue(const auth::principal& who, const sha256_digest& what,
                                    time_point now) const {
    json::object content;
    content["user"] = to_string(who.user);
    content["tenant"] = to_string(who.tenant);
    content["role"] = name_of(who.role);
    content["session"] = who.session;
    content["account"] = who.has_account;
    if (who.customer) content["customer"] = to_string(*who.customer);
    if (who.api_key) content["apiKey"] = to_string(*who.api_key);
    content["what"] = to_hex(what);
    content["at"] = admission_of(who, now);
    auto ticket = base64url_encode(json::serialize(content));
    const auto mac = mac_of(codec_, ticket);
    ticket += '.';
    return ticket + base64url_encode(mac);
}

result<download_tickets::holder> download_tickets::redeem(std::string_view ticket, time_point now) const {
    const auto dot = ticket.find('.');
    if (dot == std::string_view::npos || ticket.size() > max_ticket_size) return bad_ticket();
    const auto payload = ticket.substr(0, dot);
    const auto mac = base64url_decode(ticket.substr(dot + 1));
    if (!mac || !auth::equal_in_constant_time(*mac, mac_of(codec_, payload))) return bad_ticket();
    const auto text = base64url_decode(payload);
    auto found = text ? read_content(*text) : std::nullopt;
    if (!found) return bad_ticket();
    // The clock of the server that issued it may be ahead.
    const auto age = seconds_of(now) - found->since;
    if (age > ticket_lifetime.count() || age < -auth::clock_leeway.count()) {
        return error{errc::unauthenticated,
                     "The ticket of this download has expired. Start the download again."};
    }
    if (auto admitted = check_still_admitted(found->who, found->since); !admitted) return admitted.error();
    gate_.assign_limits(found->who);
    return holder{std::make_shared<const auth::principal>(std::move(found->who)), found->what, found->since};
}

std::int64_t download_tickets::admission_of(const auth::principal& who, time_point now) const {
    // Tokens of the second in which a password was changed are issued in the next one.
    const auto account = accounts_.find_user(who.user);
    return std::max(seconds_of(now), account ? account->tokens_valid_after + 1 : 0);
}

result<void> download_tickets::check_still_admitted(const auth::principal& who, std::int64_t since) const {
    if (auto fresh = accounts_.require_fresh(); !fresh) return fresh;
    const auto status = accounts_.account_status_of(who.user, who.tenant, who.session);
    if (status.user_deleted || status.tenant_deleted || status.session_ended) return no_longer_admitted();
    if (!status.account) {
        if (who.has_account) return no_longer_admitted();
        return {};
    }
    const auto& now = *status.account;
    const auto same = identity_of(now);
    if (!now.enabled || same.role != who.role || same.tenant != who.tenant || same.customer != who.customer)
        return no_longer_admitted();
    if (who.api_key) {
        const auto key = accounts_.find_api_key(*who.api_key);
        if (!key || !key->enabled || key->expired(accounts_.now())) return no_longer_admitted();
    } else if (since <= now.tokens_valid_after) {
        // As with tokens: the password was changed, or all sessions were ended.
        return no_longer_admitted();
    }
    return {};
}

}  // namespace gallery::accounts
