// SPDX-License-Identifier: Apache-2.0
#include "admin/pull_source.hpp"

#include "admin/image_selection.hpp"

#include <gallery/encode.hpp>
#include <gallery/sub_type.hpp>

#include <cstdlib>
#include <set>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

}  // namespace

outcome<server_api> thingsboard_of(const session& in) {
    auto where = parse_address(in.given.value("--from").value_or(""));
    if (!where) return usage("--from: " + where.error().message);
    http_client http;
    http.where = std::move(*where);
    http.ca_file = environment("THINGSBOARD_CA");
    http.timeout = in.server.timeout();
    http.url_setting = "--from";
    if (!http.where.tls && !http.where.is_this_machine()) {
        in.out.note("warning: " + http.where.text +
                    " is not encrypted; passwords and keys can be read in transit");
    }
    credentials who;
    who.token = environment("THINGSBOARD_TOKEN");
    if (who.token.empty()) who.api_key = environment("THINGSBOARD_API_KEY");
    if (who.token.empty() && who.api_key.empty()) {
        who.user = environment("THINGSBOARD_USER");
        who.password = environment("THINGSBOARD_PASSWORD");
    }
    service what;
    what.program = "a ThingsBoard server";
    what.variables = "THINGSBOARD";
    what.asks_for_password = false;
    return server_api(std::move(http), std::move(who), std::move(what));
}

outcome<std::vector<image_document>> list_thingsboard(server_api& from) {
    std::vector<image_document> out;
    std::set<std::string> seen;
    for (const auto& sub_type : sub_types.entries) {
        const std::string name(sub_type.name);
        const auto list = from.pages(
            "/api/images?sortProperty=createdTime&sortOrder=ASC&includeSystemImages=false&imageSubType=" +
            name);
        if (!list) return list.error();
        for (const auto& one : *list) {
            auto about = read_document(one.get_object());
            if (!about || about->key.empty()) {
                return failure{exit_code::unreachable, "the source's list is not one of images" +
                                                           (about ? "" : ": " + about.error().message)};
            }
            if (about->sub_type.empty())
                about->sub_type = std::string(sub_types.name_of(image_sub_type::image));
            if (about->sub_type != name || !seen.insert(about->key).second) continue;
            out.push_back(std::move(*about));
        }
    }
    return out;
}

outcome<std::string> fetch_thingsboard(server_api& from, bool is_system, image_document& listed) {
    const auto got = from.get_object(image_path(is_system ? "system" : "tenant", listed.key) + "/export");
    if (!got) return got.error();
    const auto about = read_document(*got);
    if (!about) return failure{exit_code::refused, "the source's export: " + about.error().message};
    const auto picture = decode_picture(data_of(*got));
    if (!picture) return failure{exit_code::refused, "the source's export has no picture"};
    const auto etag = etag_of(*picture);
    if (!listed.etag.empty() && listed.etag != etag) {
        return failure{
            exit_code::refused,
            "the source has sent another picture than the one that it lists, because its SHA-256 differs; "
            "if it has just been replaced, repeat the command"};
    }
    listed.etag = etag;
    if (!about->title.empty()) listed.title = about->title;
    if (!about->file_name.empty()) listed.file_name = about->file_name;
    if (!about->public_key.empty()) listed.public_key = about->public_key;
    if (!about->media_type.empty()) listed.media_type = about->media_type;
    if (about->is_public) listed.is_public = about->is_public;
    if (about->tags) listed.tags = about->tags;
    describe_as_stored(listed, *picture);
    return base64_encode(*picture);
}

}  // namespace gallery::admin
