// SPDX-License-Identifier: Apache-2.0
#include "confined.hpp"

#include <gallery/characters.hpp>

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

namespace gallery::postgres {
namespace {

/// They name no file and no service, and do not change what the session does.
constexpr std::array<std::string_view, 22> accepted{
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "target_session_attrs",
    "load_balance_hosts",
    "channel_binding",
    "require_auth",
    "sslmode",
    "sslnegotiation",
    "sslsni",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
};

/// Below a file, so it does not exist, and cannot be created.
constexpr const char* no_file = "/dev/null/none";

/// Values in place of libpq's own defaults, which are files, the login of the server's user by Kerberos, or
/// nothing, for which an empty value is not accepted.
constexpr std::pair<std::string_view, const char*> fixed[] = {
    {"passfile", no_file},
    {"sslcert", no_file},
    {"sslkey", no_file},
    {"sslrootcert", no_file},
    {"sslcrl", no_file},
    {"sslcrldir", no_file},
    {"sslcertmode", "disable"},
    {"gssencmode", "disable"},
    {"krbsrvname", "none.invalid"},
    {"require_auth", "!gss,!sspi"},
    {"connect_timeout", "0"},
    {"client_encoding", "UTF8"},
    {"min_protocol_version", "3.0"},
    {"max_protocol_version", "3.0"},
};

const char* fixed_value(std::string_view keyword) noexcept {
    for (const auto& [name, value] : fixed)
        if (name == keyword) return value;
    return nullptr;
}

error not_for_a_mirror(const std::string& what) {
    return {errc::invalid_argument, "The option dsn of a mirror in postgresql " + what};
}

std::string value_of(const std::map<std::string, std::string>& from, const char* keyword) {
    const auto found = from.find(keyword);
    return found == from.end() ? std::string() : found->second;
}

/// An entry of confinement::hosts: the host, and the port, which is empty for every port.
std::pair<std::string_view, std::string_view> parts_of(std::string_view entry) {
    if (entry.starts_with('/') || entry.starts_with('@')) return {entry, {}};
    if (entry.starts_with('[')) {
        const auto end = std::min(entry.find(']'), entry.size());
        const auto rest = entry.substr(std::min(end + 1, entry.size()));
        return {entry.substr(1, end - 1), rest.starts_with(':') ? rest.substr(1) : std::string_view()};
    }
    const auto colon = entry.find(':');
    // An address of IPv6 without brackets has several.
    if (colon == std::string_view::npos || entry.find(':', colon + 1) != std::string_view::npos)
        return {entry, {}};
    return {entry.substr(0, colon), entry.substr(colon + 1)};
}

bool is_allowed(std::string_view host, std::string_view port, const confinement& allowed) {
    return std::any_of(allowed.hosts.begin(), allowed.hosts.end(), [&](const std::string& entry) {
        const auto [name, only_port] = parts_of(entry);
        return equals_ignoring_case(name, host) && (only_port.empty() || only_port == port);
    });
}

}  // namespace

result<void> check_confined_keywords(const std::map<std::string, std::string>& given) {
    for (const auto& [keyword, value] : given) {
        if (keyword == "sslrootcert" && value == "system") {
            constexpr int first_with_system = 160'000;
            if (PQlibVersion() >= first_with_system) continue;
            return not_for_a_mirror(
                "contains sslrootcert=system, which requires libpq 16. Use the option root_certificates");
        }
        if (std::find(accepted.begin(), accepted.end(), keyword) != accepted.end()) continue;
        return not_for_a_mirror("may not contain the keyword " + keyword +
                                (keyword == "sslrootcert" ? ". Use the option root_certificates" : ""));
    }
    for (const char* required : {"user", "password"}) {
        if (value_of(given, required).empty())
            return not_for_a_mirror(std::string("must contain ") + required +
                                    "; the server's own is not used");
    }
    if (std::getenv("PGSERVICE") != nullptr) {
        return not_for_a_mirror(
            "cannot be used while the environment variable PGSERVICE of the server is set, because it would "
            "apply. Remove the variable");
    }
    return {};
}

result<void> check_confined_host(const std::map<std::string, std::string>& one, const confinement& allowed) {
    const auto host = value_of(one, "host");
    const auto address = value_of(one, "hostaddr");
    auto port = value_of(one, "port");
    if (port.empty()) port = "5432";
    if (host.empty() && address.empty()) return not_for_a_mirror("must name a host");
    for (const auto& name : {host, address}) {
        if (name.empty() || is_allowed(name, port, allowed)) continue;
        return error{errc::permission_denied, "a mirror may not be on the host '" + name + "', port " + port +
                                                  ". An operator can allow hosts with MIRROR_ALLOWED_HOSTS"};
    }
    return {};
}

std::map<std::string, std::string> with_explicit_values(std::map<std::string, std::string> one) {
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> all(PQconninfoParse("", nullptr),
                                                                           &PQconninfoFree);
    for (const auto* option = all.get(); option != nullptr && option->keyword != nullptr; ++option) {
        const std::string_view keyword = option->keyword;
        // Any value, also an empty one, would be a service that is looked for.
        if (keyword == "service" || keyword == "servicefile") continue;
        if (const char* value = fixed_value(keyword); value != nullptr) {
            one.try_emplace(option->keyword, value);
        } else if (option->envvar != nullptr) {
            one.try_emplace(option->keyword, option->compiled != nullptr ? option->compiled : "");
        }
    }
    return one;
}

}  // namespace gallery::postgres
