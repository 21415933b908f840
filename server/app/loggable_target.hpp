// SPDX-License-Identifier: Apache-2.0
/// What of a request's target, and of the address of the page that it came from, may be logged.
///
/// Queries contain secrets: the token of an activation link, the ticket of a download. Texts that people
/// search for may be e-mail addresses. The key of a public link gives access to an image. So only the
/// values of known, harmless parameters are logged, and of the key of a public link its beginning, by which
/// an operator still finds the image. Unknown parameters are left out, because they may be secrets.
#pragma once

#include "images/keys.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gallery::app {

/// How many characters of the key of a public link are logged.
inline constexpr std::size_t shown_of_public_key = 8;

enum class visibility : std::uint8_t {
    value,  ///< name and value
    name,   ///< the value is a secret, or personal
    none,   ///< of an unknown parameter, or of what is none
};

struct query_parameter {
    std::string_view name;
    visibility shown;
};

/// Every parameter of the API; a test compares it with the description.
inline constexpr std::array query_parameters{
    query_parameter{"activateToken", visibility::name},
    query_parameter{"dryRun", visibility::value},
    query_parameter{"everywhere", visibility::value},
    query_parameter{"for", visibility::value},
    query_parameter{"force", visibility::value},
    query_parameter{"imageSubType", visibility::value},
    query_parameter{"includeSystemImages", visibility::value},
    query_parameter{"mediaType", visibility::value},
    query_parameter{"nameConflictPolicy", visibility::value},
    query_parameter{"page", visibility::value},
    query_parameter{"pageSize", visibility::value},
    query_parameter{"public", visibility::value},
    query_parameter{"sendActivationMail", visibility::value},
    query_parameter{"sortOrder", visibility::value},
    query_parameter{"sortProperty", visibility::value},
    query_parameter{"tag", visibility::value},
    query_parameter{"tenantId", visibility::value},
    query_parameter{"textSearch", visibility::name},
    query_parameter{"ticket", visibility::name},
    query_parameter{"uniquifySeparator", visibility::value},
    query_parameter{"uniquifyStrategy", visibility::value},
    query_parameter{"userCredentialsEnabled", visibility::value},
};

constexpr visibility visibility_of(std::string_view parameter) noexcept {
    for (const auto& each : query_parameters) {
        if (each.name == parameter) return each.shown;
    }
    return visibility::none;
}

/// Whether a path may have the key of a public link in it.
enum class link_in_path : std::uint8_t {
    no,     ///< it is for another route
    maybe,  ///< the route is not known
    yes,    ///< also where it is written in another way, for instance percent-encoded
};

// Each of these calls emit(std::string_view) with the parts in order.

template <class Emit>
void emit_path(std::string_view path, link_in_path link, const Emit& emit) {
    if (link == link_in_path::no) return emit(path);
    const auto found = path.find(images::public_images_path);
    if (found == path.npos && link == link_in_path::maybe) return emit(path);
    const auto key = found == path.npos ? path.rfind('/') + 1 : found + images::public_images_path.size();
    const auto size = std::min(path.substr(key).find('/'), path.size() - key);
    if (size <= shown_of_public_key) return emit(path);
    emit(path.substr(0, key + shown_of_public_key));
    emit(std::string_view("*"));
    emit(path.substr(key + size));
}

/// Unknown parameters become "*". @p query is without the question mark.
template <class Emit>
void emit_query(std::string_view query, const Emit& emit) {
    for (;;) {
        const auto end = query.find('&');
        const auto part = query.substr(0, end);
        const auto name = part.substr(0, part.find('='));
        switch (visibility_of(name)) {
            case visibility::value:
                emit(part);
                break;
            case visibility::name:
                emit(name);
                if (name.size() != part.size()) emit(std::string_view("=*"));
                break;
            case visibility::none:
                if (!part.empty()) emit(std::string_view("*"));
                break;
        }
        if (end == query.npos) return;
        emit(std::string_view("&"));
        query.remove_prefix(end + 1);
    }
}

/// Of a request's target as it was received: its path and what may be seen of its query. Nothing of a target
/// that is neither a path nor a URL nor "*". The host of a URL is left out, with a password in it.
template <class Emit>
void emit_target(std::string_view target, link_in_path link, const Emit& emit) {
    if (!target.starts_with('/') && target != "*") {
        const auto scheme = target.find("://");
        if (scheme == target.npos) return;
        target.remove_prefix(scheme + 3);
        const auto path = target.find_first_of("/?");
        target = path == target.npos ? std::string_view("/") : target.substr(path);
    }
    const auto question = target.find('?');
    emit_path(target.substr(0, question), link, emit);
    if (question == target.npos) return;
    emit(std::string_view("?"));
    emit_query(target.substr(question + 1), emit);
}

/// Of the value of Referer: without a password in front of its host, and without its query, of which only a
/// mark is left. Pages of the console have activation links in it.
template <class Emit>
void emit_referrer(std::string_view referrer, const Emit& emit) {
    const auto end = std::min(referrer.find_first_of("?#"), referrer.size());
    const bool is_cut = end != referrer.size();
    referrer = referrer.substr(0, end);
    const auto scheme = referrer.find("://");
    if (scheme != referrer.npos) {
        const auto host = scheme + 3;
        const auto path = std::min(referrer.find('/', host), referrer.size());
        if (const auto at = referrer.substr(0, path).rfind('@'); at != referrer.npos && at >= host) {
            emit(referrer.substr(0, host));
            referrer.remove_prefix(at + 1);
        }
    }
    emit_path(referrer, link_in_path::maybe, emit);
    if (is_cut) emit(std::string_view("?*"));
}

/// Of a request of this route, whose name is empty where none matched.
constexpr link_in_path link_in_path_of(std::string_view route) noexcept {
    if (route.empty()) return link_in_path::maybe;
    return route == "image.public" ? link_in_path::yes : link_in_path::no;
}

}  // namespace gallery::app
