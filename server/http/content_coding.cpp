// SPDX-License-Identifier: Apache-2.0
#include "http/content_coding.hpp"

#include <algorithm>
#include <optional>

namespace gallery::http {

namespace {

// "0", "1", "0.123", "1.000" as thousandths (RFC 9110, 12.4.2); empty for anything else.
std::optional<int> parse_weight(std::string_view text) noexcept {
    if (text.empty() || (text[0] != '0' && text[0] != '1') || text.size() > 5) return std::nullopt;
    int value = (text[0] - '0') * 1000;
    if (text.size() > 1 && text[1] != '.') return std::nullopt;
    int unit = 100;
    for (std::size_t i = 2; i < text.size(); ++i, unit /= 10) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value += (text[i] - '0') * unit;
    }
    return value > 1000 ? std::nullopt : std::optional(value);
}

struct weights {
    std::optional<int> gzip, br, identity, any;

    void read(std::string_view list) noexcept {
        while (!list.empty()) {
            const auto comma = list.find(',');
            read_element(trim(list.substr(0, comma)));
            list = comma == list.npos ? std::string_view() : list.substr(comma + 1);
        }
    }

    void read_element(std::string_view element) noexcept {
        const auto semicolon = element.find(';');
        const auto name = trim(element.substr(0, semicolon));
        int weight = 1000;
        if (semicolon != element.npos) {
            const auto parameter = trim(element.substr(semicolon + 1));
            if (parameter.size() < 2 || (parameter[0] != 'q' && parameter[0] != 'Q') || parameter[1] != '=') {
                return;  // malformed elements are as if they were not there
            }
            const auto parsed = parse_weight(parameter.substr(2));
            if (!parsed) return;
            weight = *parsed;
        }
        if (equals_ignoring_case(name, "gzip") || equals_ignoring_case(name, "x-gzip")) {
            gzip = std::max(gzip.value_or(0), weight);
        } else if (equals_ignoring_case(name, "br")) {
            br = std::max(br.value_or(0), weight);
        } else if (equals_ignoring_case(name, "identity")) {
            identity = std::max(identity.value_or(0), weight);
        } else if (name == "*") {
            any = std::max(any.value_or(0), weight);
        }
    }

    [[nodiscard]] content_coding choose(available_codings there) const noexcept {
        const int of_br = there.brotli ? br.value_or(any.value_or(0)) : 0;
        const int of_gzip = there.gzip ? gzip.value_or(any.value_or(0)) : 0;
        // Identity is acceptable unless excluded, but what was asked for by name is preferred to it.
        const int of_identity = identity.value_or(0);
        const int best = std::max({of_br, of_gzip, of_identity});
        if (best == 0) return content_coding::identity;
        if (of_br == best) return content_coding::brotli;
        return of_gzip == best ? content_coding::gzip : content_coding::identity;
    }
};

}  // namespace

content_coding choose_coding(std::string_view accept_encoding, available_codings there) noexcept {
    weights asked;
    asked.read(accept_encoding);
    return asked.choose(there);
}

content_coding choose_coding(const request& message, available_codings there) noexcept {
    weights asked;
    message.for_each(field::accept_encoding, [&asked](std::string_view line) { asked.read(line); });
    return asked.choose(there);
}

std::string_view body_coding(const request& message) noexcept {
    std::string_view found;
    message.for_each(field::content_encoding, [&found](std::string_view line) {
        while (!line.empty() && found.empty()) {
            const auto comma = line.find(',');
            const auto token = trim(line.substr(0, comma));
            if (!token.empty() && !equals_ignoring_case(token, "identity")) found = token;
            line = comma == line.npos ? std::string_view() : line.substr(comma + 1);
        }
    });
    return found;
}

}  // namespace gallery::http
