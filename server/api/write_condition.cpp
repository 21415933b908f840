// SPDX-License-Identifier: Apache-2.0
#include "api/write_condition.hpp"

#include "api/image_json.hpp"
#include "api/image_key.hpp"
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
                                           "has changed it. Fetch it again and repeat the request."};
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

// Of the compressed forms of @p record. Error, among others: stale for a record that was replaced meanwhile.
task<result<etags>> coded_etags(record_ptr record, images::image_service& gallery,
                                images::coded_bodies& coded) {
    etags found;
    if (record->original.media_type != svg_media_type) co_return found;
    for (const auto coding : {content_coding::gzip, content_coding::brotli}) {
        images::coded_bodies::load fetch = [&gallery, record] {
            return gallery.read(record, representation::original);
        };
        auto made = co_await coded.get(record->tenant, record->original.etag, coding, std::move(fetch));
        if (!made) co_return made.error();
        if (!made->data.empty()) found.push_back(to_hex(made->etag));
    }
    co_return found;
}

// The original's etag and those of its compressed forms; empty where there is no image.
struct known_forms {
    sha256_digest original{};
    etags forms;
};

task<result<known_forms>> find_forms(const http::request& message, images::image_view_permit may,
                                     std::string key, images::image_service& gallery,
                                     images::coded_bodies& coded) {
    for (int attempt = 0; attempt < max_read_attempts; ++attempt) {
        known_forms out;
        auto current = result<record_ptr>(error{errc::not_found, ""});
        if (!key.empty()) {
            std::string wanted = key;
            current = co_await gallery.find(may.lend(), std::move(wanted));
        }
        if (!current && current.error().code != errc::not_found) co_return current.error();
        if (!current) co_return out;
        out.original = (*current)->original.etag;
        // Compressing a drawing takes a while, and most conditions name the form that is stored.
        const bool matches_uncompressed = http::if_match_holds(message, to_hex(out.original)) ||
                                          http::if_match_holds(message, info_etag(**current));
        if (matches_uncompressed && !message.has(http::field::if_none_match)) co_return out;
        auto found = co_await coded_etags(*current, gallery, coded);
        if (found) {
            out.forms = std::move(*found);
            co_return out;
        }
        if (found.error().code != errc::stale) co_return found.error();
    }
    co_return replaced_too_often();
}

}  // namespace

task<result<images::record_check>> write_condition(const http::request& message,
                                                   images::image_view_permit may, std::string key,
                                                   images::image_service& gallery,
                                                   images::coded_bodies& coded) {
    if (!message.has(http::field::if_match) && !message.has(http::field::if_none_match))
        co_return images::record_check();
    auto found = co_await find_forms(message, std::move(may), std::move(key), gallery, coded);
    if (!found) co_return found.error();
    co_return [&message, original = found->original,
               forms = std::move(found->forms)](const image_record* record) -> result<void> {
        if (record == nullptr) {
            if (!http::if_match_holds(message, "")) return nothing_to_match();
            return {};
        }
        etags known = record->original.etag == original ? forms : etags();
        known.push_back(to_hex(record->original.etag));
        known.push_back(info_etag(*record));
        return check_versions(message, record->key, known);
    };
}

}  // namespace gallery::api
