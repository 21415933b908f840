// SPDX-License-Identifier: Apache-2.0
#include "http/conditional.hpp"

#include "http/http_date.hpp"

#include <chrono>

namespace gallery::http {

namespace {

bool ends_bare_tag(char c) noexcept {
    return c == ',' || c == ' ' || c == '\t' || c == '"';
}

void skip_separators(std::string_view& rest) noexcept {
    while (!rest.empty() && (rest.front() == ',' || rest.front() == ' ' || rest.front() == '\t')) {
        rest.remove_prefix(1);
    }
}

std::int64_t now_seconds() noexcept {
    using namespace std::chrono;
    return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

enum class presence : std::uint8_t { absent, matches, differs };

// Every line of the field counts; an empty value has no effect.
presence compare(const request& message, field id, std::string_view etag, bool strong) {
    auto found = presence::absent;
    message.for_each(id, [&](std::string_view line) {
        if (line.empty() || found == presence::matches) return;
        found = lists_etag(line, etag, strong) ? presence::matches : presence::differs;
    });
    return found;
}

}  // namespace

std::optional<entity_tag> next_entity_tag(std::string_view& rest, bool& malformed) noexcept {
    malformed = false;
    skip_separators(rest);
    if (rest.empty()) return std::nullopt;
    entity_tag tag;
    if (rest.starts_with("W/\"")) {
        tag.weak = true;
        rest.remove_prefix(2);
    }
    if (rest.front() == '"') {
        const auto end = rest.find('"', 1);
        if (end == rest.npos) {
            malformed = true;
            return std::nullopt;
        }
        tag.opaque = rest.substr(1, end - 1);
        rest.remove_prefix(end + 1);
    } else {
        std::size_t end = 0;
        while (end < rest.size() && !ends_bare_tag(rest[end]))
            ++end;
        tag.opaque = rest.substr(0, end);
        rest.remove_prefix(end);
    }
    // Only a comma, or white space and a comma, may follow.
    auto behind = rest;
    while (!behind.empty() && (behind.front() == ' ' || behind.front() == '\t'))
        behind.remove_prefix(1);
    if (!behind.empty() && behind.front() != ',') {
        malformed = true;
        return std::nullopt;
    }
    return tag;
}

bool lists_etag(std::string_view line, std::string_view etag, bool strong) noexcept {
    if (etag.empty()) return false;
    if (line == "*") return true;
    bool malformed = false;
    while (const auto tag = next_entity_tag(line, malformed)) {
        if (tag->opaque == etag && !(strong && tag->weak)) return true;
    }
    return false;
}

verdict evaluate_conditions(const request& message, std::string_view etag,
                            std::optional<std::int64_t> last_modified) {
    const bool reading = message.verb() == method::get || message.verb() == method::head;
    // RFC 9110, 13.2.2: step 1, else step 2.
    const auto if_match = compare(message, field::if_match, etag, true);
    if (if_match == presence::differs) return verdict::precondition_failed;
    if (if_match == presence::absent && last_modified) {
        const auto text = message.header(field::if_unmodified_since);
        const auto since = text.empty() ? std::nullopt : parse_http_date(text, now_seconds());
        if (since && *last_modified > *since) return verdict::precondition_failed;
    }
    // Step 3, else step 4.
    const auto if_none_match = compare(message, field::if_none_match, etag, false);
    if (if_none_match == presence::matches) {
        return reading ? verdict::not_modified : verdict::precondition_failed;
    }
    if (if_none_match == presence::absent && reading && last_modified) {
        const auto text = message.header(field::if_modified_since);
        const auto since = text.empty() ? std::nullopt : parse_http_date(text, now_seconds());
        if (since && *last_modified <= *since) return verdict::not_modified;
    }
    return verdict::proceed;
}

bool if_match_holds(const request& message, std::string_view etag) {
    return compare(message, field::if_match, etag, true) != presence::differs;
}

bool if_none_match_hits(const request& message, std::string_view etag) {
    return compare(message, field::if_none_match, etag, false) == presence::matches;
}

}  // namespace gallery::http
