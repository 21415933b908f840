#include "http/forwarded.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

namespace gallery::http {
namespace {

namespace ip = boost::asio::ip;

/// "192.0.2.1", "2001:db8::1", and as some proxies write it "192.0.2.1:8080" or "[2001:db8::1]:8080".
std::optional<ip::address> parse_entry(std::string_view text) {
    text = trim(text);
    if (text.starts_with('[')) {
        text.remove_prefix(1);
        text = text.substr(0, text.find(']'));
    } else if (std::count(text.begin(), text.end(), ':') == 1) {
        text = text.substr(0, text.find(':'));
    }
    if (text.find('%') != text.npos) return std::nullopt;  // a zone means nothing to another machine
    boost::system::error_code failed;
    auto address = ip::make_address(std::string(text), failed);
    if (failed) return std::nullopt;
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        address = ip::make_address_v4(ip::v4_mapped, address.to_v6());
    }
    return address;
}

}  // namespace

std::string forwarded_client(const request& message, const proxy_trust& trusted) {
    // Several lines are one list (RFC 9110, 5.3).
    std::vector<std::string_view> lines;
    message.for_each(field::x_forwarded_for, [&lines](std::string_view line) { lines.push_back(line); });
    std::string nearest;
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        for (auto rest = *line;;) {
            const auto comma = rest.rfind(',');
            const auto address = parse_entry(comma == rest.npos ? rest : rest.substr(comma + 1));
            if (!address) return nearest;
            nearest = address->to_string();
            if (!trusted(*address)) return nearest;
            if (comma == rest.npos) break;
            rest = rest.substr(0, comma);
        }
    }
    return nearest;
}

}  // namespace gallery::http
