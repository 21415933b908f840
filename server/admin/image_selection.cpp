// SPDX-License-Identifier: Apache-2.0
#include "admin/image_selection.hpp"

#include "http/percent.hpp"

#include <gallery/sub_type.hpp>
#include <gallery/text.hpp>

#include <algorithm>
#include <utility>

namespace gallery::admin {

namespace json = boost::json;

outcome<image_selection> read_selection(const session& in) {
    image_selection out;
    out.search = in.search();
    if (!is_utf8(out.search)) return usage("the value of --search is not valid UTF-8");
    out.tags = in.given.values("--tag");
    out.media_types = in.given.values("--media-type");
    if (const auto named = in.given.value("--sub-type")) {
        if (!sub_types.find(*named)) return usage("the value of --sub-type must be " + sub_types.choices());
        out.sub_types = {*named};
    } else {
        for (const auto& each : sub_types.entries)
            out.sub_types.emplace_back(each.name);
    }
    if (in.given.has("--public") && in.given.has("--private"))
        return usage("--public and --private cannot be used together");
    if (in.given.has("--public")) out.is_public = true;
    if (in.given.has("--private")) out.is_public = false;
    return out;
}

bool matches(const image_selection& wanted, const image_document& about) {
    const auto contains = [](const std::vector<std::string>& all, const std::string& one) {
        return std::find(all.begin(), all.end(), one) != all.end();
    };
    const std::string usual(sub_types.name_of(image_sub_type::image));
    if (!contains(wanted.sub_types, about.sub_type.empty() ? usual : about.sub_type)) return false;
    if (!wanted.media_types.empty() && !contains(wanted.media_types, about.media_type)) return false;
    if (wanted.is_public && wanted.is_public != about.is_public) return false;
    const auto has_tag = [&](const std::string& tag) { return about.tags && contains(*about.tags, tag); };
    if (!std::all_of(wanted.tags.begin(), wanted.tags.end(), has_tag)) return false;
    return wanted.search.empty() ||
           (is_utf8(about.title) &&
            fold_case(about.title).find(fold_case(wanted.search)) != std::string::npos);
}

outcome<json::array> list_images(server_api& server, const image_selection& wanted, const std::string& more) {
    std::string query = more;
    if (!wanted.search.empty()) query += "&textSearch=" + http::percent_encode(wanted.search);
    for (const auto& tag : wanted.tags)
        query += "&tag=" + http::percent_encode(tag);
    for (const auto& type : wanted.media_types)
        query += "&mediaType=" + http::percent_encode(type);
    if (wanted.is_public) query += *wanted.is_public ? "&public=true" : "&public=false";
    json::array out;
    for (const auto& sub_type : wanted.sub_types) {
        auto some = server.pages("/api/images?imageSubType=" + sub_type + query);
        if (!some) return some.error();
        for (auto& one : *some)
            out.push_back(std::move(one));
    }
    return out;
}

std::string image_path(std::string_view kind, std::string_view key) {
    return "/api/images/" + std::string(kind) + "/" + http::percent_encode(key);
}

}  // namespace gallery::admin
