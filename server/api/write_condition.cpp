// SPDX-License-Identifier: Apache-2.0
#include "api/write_condition.hpp"

#include "http/conditional.hpp"

#include <gallery/media_type.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace gallery::api {
namespace {

using etags = std::vector<std::string>;

error not_that_version(const std::string& key) {
    return {errc::precondition_failed, "The image '" + key +
                                           "' is not the version that If-Match names, because another user "
                                           "has replaced it. Fetch it again and repeat the request."};
}

error excluded_version(const std::string& key) {
    return {
        errc::precondition_failed,
        "The image '" + key + "' exists in a version that If-None-Match excludes, so it was not changed."};
}

error nothing_to_match() {
    return {errc::precondition_failed, "There is no image yet that If-Match could refer to."};
}

result<void> check_versions(const http::request& message, const std::string& key, const etags& known) {
    if (std::ranges::none_of(known, [&](auto& etag) { return http::if_match_holds(message, etag); }))
        return not_that_version(key);
    if (std::ranges::any_of(known, [&](auto& etag) { return http::if_none_match_hits(message, etag); }))
        return excluded_version(key);
    return {};
}

// Of the compressed forms of @p record. A record that was replaced meanwhile has none any more.
task<result<etags>> coded_etags(record_ptr record, images::image_service& gallery,
                                images::coded_bodies& coded) {
    etags found;
    if (record->original.media_type != svg_media_type) co_return found;
    for (const auto coding : {content_coding::gzip, content_coding::brotli}) {
        images::coded_bodies::load fetch = [&gallery, record] {
            return gallery.read(record, representation::original);
        };
        auto made = co_await coded.get(record->tenant, record->original.etag, coding, std::move(fetch));
        if (!made && made.error().code == errc::stale) co_return etags();
        if (!made) co_return made.error();
        if (!made->data.empty()) found.push_back(to_hex(made->etag));
    }
    co_return found;
}

}  // namespace

task<result<images::record_check>> write_condition(const http::request& message,
                                                   images::image_view_permit may, std::string key,
                                                   images::image_service& gallery,
                                                   images::coded_bodies& coded) {
    if (!message.has(http::field::if_match) && !message.has(http::field::if_none_match))
        co_return images::record_check();
    auto current = result<record_ptr>(error{errc::not_found, ""});
    if (!key.empty()) current = co_await gallery.find(std::move(may), std::move(key));
    if (!current && current.error().code != errc::not_found) co_return current.error();
    sha256_digest original{};
    etags forms;
    if (current) {
        original = (*current)->original.etag;
        // Compressing a drawing takes a while, and most conditions name the form that is stored.
        const bool is_decided =
            http::if_match_holds(message, to_hex(original)) && !message.has(http::field::if_none_match);
        if (!is_decided) {
            auto found = co_await coded_etags(*current, gallery, coded);
            if (!found) co_return found.error();
            forms = std::move(*found);
        }
    }
    co_return [&message, original, forms = std::move(forms)](const image_record* record) -> result<void> {
        if (record == nullptr) {
            if (!http::if_match_holds(message, "")) return nothing_to_match();
            return {};
        }
        etags known = record->original.etag == original ? forms : etags();
        known.push_back(to_hex(record->original.etag));
        return check_versions(message, record->key, known);
    };
}

}  // namespace gallery::api
