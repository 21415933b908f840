// SPDX-License-Identifier: Apache-2.0
#include "endpoints.hpp"

#include "confined.hpp"

#include <gallery/bytes.hpp>

#include <libpq-fe.h>

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

namespace gallery::postgres {
namespace {

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= list.size();) {
        const auto end = std::min(list.find(',', from), list.size());
        parts.push_back(list.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

error bad_dsn(const std::string& what) {
    return {errc::invalid_argument,
            "The option dsn of the postgresql store is not a connection string of libpq: " + what};
}

/// In one step, because a connection may be reading it. On a failure errno says why.
bool replace_private_file(const std::string& path, std::string_view text) {
    const auto next = path + ".new";
    ::unlink(next.c_str());
    const file_handle file(::open(next.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.descriptor() < 0) return false;
    while (!text.empty()) {
        const auto written = ::write(file.descriptor(), text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return ::rename(next.c_str(), path.c_str()) == 0;
}

}  // namespace

std::string endpoint::host() const {
    const auto found = parameters.find("host");
    return found == parameters.end() ? std::string() : found->second;
}

bool endpoint::is_name() const {
    const auto where = host();
    return !where.empty() && where.front() != '/' && where.front() != '@' && !parameters.contains("hostaddr");
}

std::string endpoint::name() const {
    auto where = host();
    if (const auto address = parameters.find("hostaddr"); where.empty() && address != parameters.end())
        where = address->second;
    if (where.empty()) where = "the local server";
    const auto port = parameters.find("port");
    return port == parameters.end() ? where : where + ":" + port->second;
}

std::string endpoint::connection_string() const {
    std::string out;
    // As pairs of keyword and value, libpq takes an empty value for a missing one.
    for (const auto& [keyword, value] : is_confined ? with_explicit_values(parameters) : parameters) {
        out += keyword + "='";
        for (const char c : value) {
            if (c == '\'' || c == '\\') out += '\\';
            out += c;
        }
        out += "' ";
    }
    return out;
}

result<std::vector<endpoint>> endpoints_of(const std::string& dsn, std::chrono::milliseconds timeout,
                                           const std::optional<confinement>& confined) {
    char* problem = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
        PQconninfoParse(dsn.c_str(), &problem), &PQconninfoFree);
    if (!parsed) {
        // The message may quote a part of the string, which may be the password.
        PQfreemem(problem);
        return bad_dsn("it cannot be parsed.");
    }
    std::map<std::string, std::string> common;
    for (const auto* option = parsed.get(); option->keyword != nullptr; ++option)
        if (option->val != nullptr && *option->val != '\0') common[option->keyword] = option->val;
    if (confined) {
        if (auto checked = check_confined_keywords(common); !checked) return checked.error();
    }
    const auto milliseconds = std::to_string(timeout.count());
    for (const auto& [keyword, preset] :
         std::map<std::string, std::string>{{"target_session_attrs", "read-write"},
                                            {"application_name", "gallery"},
                                            {"tcp_user_timeout", milliseconds},
                                            {"keepalives_idle", "5"},
                                            {"keepalives_interval", "2"},
                                            {"keepalives_count", "3"}})
        common.try_emplace(keyword, preset);

    const auto take = [&common](const char* keyword) {
        const auto found = common.find(keyword);
        auto values = found == common.end() ? std::vector<std::string>{} : split(found->second);
        if (found != common.end()) common.erase(found);
        return values;
    };
    const auto hosts = take("host");
    const auto addresses = take("hostaddr");
    const auto ports = take("port");
    const auto count = std::max<std::size_t>({hosts.size(), addresses.size(), 1});
    if ((!hosts.empty() && !addresses.empty() && hosts.size() != addresses.size()) ||
        (ports.size() > 1 && ports.size() != count))
        return bad_dsn("it names different numbers of hosts, addresses and ports.");
    std::vector<endpoint> all;
    for (std::size_t i = 0; i < count; ++i) {
        endpoint one{common, confined.has_value()};
        const auto set = [&](const char* keyword, const std::vector<std::string>& values) {
            if (values.empty()) return;
            const auto& value = values.size() == 1 ? values.front() : values[i];
            if (!value.empty()) one.parameters[keyword] = value;
        };
        set("host", hosts);
        set("hostaddr", addresses);
        set("port", ports);
        if (confined) {
            if (auto allowed = check_confined_host(one.parameters, *confined); !allowed)
                return allowed.error();
        }
        all.push_back(std::move(one));
    }
    return all;
}

result<void> use_root_certificates(const std::string& certificates, const std::string& folder,
                                   std::vector<endpoint>& servers) {
    if (certificates.empty()) return {};
    const auto file = folder + "/root-certificates.pem";
    if (!replace_private_file(file, certificates))
        return error{errc::io_error,
                     "The file " + file + " cannot be written: " + std::strerror(errno) + "."};
    for (auto& one : servers) {
        if (!one.parameters.try_emplace("sslrootcert", file).second)
            return bad_dsn("it contains sslrootcert, and the option root_certificates is set, too.");
    }
    return {};
}

std::vector<std::string> look_up(const std::string& host) {
    std::vector<std::string> addresses;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return addresses;
    for (const auto* one = found; one != nullptr; one = one->ai_next) {
        char text[NI_MAXHOST];
        if (::getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
            addresses.emplace_back(text);
    }
    ::freeaddrinfo(found);
    return addresses;
}

}  // namespace gallery::postgres
