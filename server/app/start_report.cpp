// SPDX-License-Identifier: Apache-2.0
#include "app/start_report.hpp"

#include <unistd.h>

namespace gallery::app {

namespace {

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
        digits.insert(static_cast<std::size_t>(at), ",");
    }
    return digits;
}

}  // namespace

std::string counted(std::uint64_t number, const char* noun) {
    return grouped(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string local_url(const config::server_settings& server, std::uint16_t port) {
    const std::string& address = server.address;
    std::string host = address;
    if (address == "0.0.0.0" || address == "::" || address == "127.0.0.1" || address == "::1") {
        host = "localhost";
    } else if (address.find(':') != std::string::npos) {
        host = "[" + address + "]";
    }
    return std::string(server.ssl.enabled ? "https" : "http") + "://" + host + ":" + std::to_string(port) +
           "/";
}

std::string node_address(const config::settings& all, std::uint16_t port) {
    if (!all.cluster.node_address.empty()) return all.cluster.node_address;
    std::string host = all.server.address;
    if (host == "0.0.0.0" || host == "::") {
        char name[256] = {};
        host = ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
    } else if (host.find(':') != std::string::npos) {
        host = "[" + host + "]";
    }
    return host + ":" + std::to_string(port);
}

}  // namespace gallery::app
