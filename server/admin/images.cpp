// SPDX-License-Identifier: Apache-2.0
// gallery-admin images list, show, upload, delete, publish, unpublish, tag
#include "admin/commands.hpp"
#include "admin/files.hpp"
#include "admin/image_selection.hpp"
#include "admin/lookup.hpp"
#include "auth/random.hpp"
#include "images/tags.hpp"

#include <gallery/text.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

const json::object& descriptor_of(const json::object& one) {
    static const json::object none;
    const auto* const value = one.if_contains("descriptor");
    return value != nullptr && value->is_object() ? value->get_object() : none;
}

bool is_public(const json::object& one) {
    const auto* const value = one.if_contains("public");
    return value != nullptr && value->is_bool() && value->get_bool();
}

std::string extent_of(const json::object& one) {
    const auto& about = descriptor_of(one);
    const auto width = number_of(about, "width");
    return width == 0 ? "-" : std::to_string(width) + "x" + std::to_string(number_of(about, "height"));
}

/// Failure: that of read_document(). What replaces tags must know them.
outcome<std::vector<std::string>> tags_of(const json::object& one) {
    const auto read = read_document(one);
    if (!read)
        return failure{exit_code::unreachable,
                       "the server's response is not an image: " + read.error().message};
    return read->tags.value_or(std::vector<std::string>());
}

std::string tags_text(const json::object& one) {
    const auto tags = tags_of(one);
    if (!tags) return "?";
    return joined(*tags);
}

constexpr std::array<field, 14> fields{{
    {"key", [](const json::object& one) { return text_of(one, "resourceKey"); }},
    {"title", [](const json::object& one) { return text_of(one, "title"); }},
    {"file-name", [](const json::object& one) { return text_of(one, "fileName"); }, false},
    {"sub-type", [](const json::object& one) { return text_of(one, "resourceSubType"); }},
    {"media-type", [](const json::object& one) { return text_of(descriptor_of(one), "mediaType"); }},
    {"bytes", [](const json::object& one) { return std::to_string(number_of(descriptor_of(one), "size")); }},
    {"pixels", extent_of},
    {"public", [](const json::object& one) { return std::string(is_public(one) ? "yes" : "no"); }},
    {"tags", tags_text},
    {"created", [](const json::object& one) { return time_of(one, "createdTime"); }},
    {"etag", [](const json::object& one) { return text_of(one, "etag"); }, false},
    {"id", [](const json::object& one) { return id_of(one); }, false},
    {"link", [](const json::object& one) { return text_of(one, "link"); }, false},
    {"public-link", [](const json::object& one) { return text_of(one, "publicLink"); }, false},
}};

std::string kind_of(const session& in) {
    return in.given.has("--system") ? "system" : "tenant";
}

/// Does @p one for each operand and shows the outcomes: a table, or a sentence with @p verb. After a failure
/// it goes on with the others, and ends with the first failure.
outcome<> for_each_operand(session& in, const std::function<outcome<json::object>(const std::string&)>& one,
                           const std::string& verb = {}) {
    json::array done;
    std::optional<failure> first;
    std::size_t failed = 0;
    for (const auto& operand : in.given.operands) {
        auto outcome_of_one = one(operand);
        if (outcome_of_one) {
            done.emplace_back(std::move(*outcome_of_one));
            continue;
        }
        const auto& why = outcome_of_one.error();
        if (in.given.operands.size() == 1) return why;
        ++failed;
        if (!first) {
            first = why;
            first->message = "'" + operand + "': " + why.message;
        }
        if (concerns_all(why)) break;
        in.out.note("'" + operand + "': " + why.message);
    }
    if (!done.empty() && verb.empty()) in.out.list(done, fields);
    if (!done.empty() && !verb.empty()) {
        in.out.done(verb + " " +
                        (done.size() == 1 ? called("image", done[0].get_object(), "resourceKey")
                                          : std::to_string(done.size()) + " images"),
                    done);
    }
    if (!first) return {};
    if (failed > 1)
        first->message +=
            "; " + std::to_string(failed) + " of " + std::to_string(in.given.operands.size()) + " failed";
    return *first;
}

// ---- list, show ----------------------------------------------------------------------------------

constexpr auto list_images_options =
    join(selection_options,
         std::array<option, 3>{{
             {"--include-system", "", "a tenant's images and the system's that it has no own one for"},
             {"--sort", "PROPERTY", "createdTime (default), title, resourceKey or size"},
             {"--descending", "", "the largest, the newest or the last first"},
         }});

outcome<> list(session& in) {
    const auto wanted = read_selection(in);
    if (!wanted) return wanted.error();
    const auto sort = in.given.value("--sort").value_or("createdTime");
    constexpr std::array<std::string_view, 4> known{"createdTime", "title", "resourceKey", "size"};
    if (std::find(known.begin(), known.end(), sort) == known.end())
        return usage("the value of --sort must be createdTime, title, resourceKey or size");
    auto more = "&sortProperty=" + sort + "&sortOrder=" + (in.given.has("--descending") ? "DESC" : "ASC");
    if (in.given.has("--include-system")) more += "&includeSystemImages=true";
    const auto all = list_images(in.server, *wanted, more);
    if (!all) return all.error();
    in.out.list(*all, fields);
    return {};
}

constexpr std::array<option, 1> show_options{{
    {"--system", "", "the system's image, which a tenant's administrator may read"},
}};

outcome<> show(session& in) {
    const auto found = in.server.get_object(image_path(kind_of(in), in.operand(0)) + "/info");
    if (!found) return found.error();
    in.out.one(*found, fields);
    return {};
}

// ---- upload --------------------------------------------------------------------------------------

constexpr std::array<option, 5> upload_options{{
    {"--title", "TITLE", "the title, with one FILE only; default: the name of the file"},
    {"--sub-type", "TYPE", "IMAGE (default) or SCADA_SYMBOL"},
    {"--tag", "TAG", "give the image this tag, too; repeat it for several tags", {}, true},
    {"--private", "", "without a public link"},
    {"--replace", "", "replace the picture of an image whose key is the name of the file"},
}};

/// A form as browsers send it: of the name's characters, those are encoded that would end it.
std::string form_of(const std::string& boundary, const std::string& name, const std::string& picture,
                    const std::string& title, const std::string& sub_type) {
    std::string escaped;
    for (const char c : name)
        escaped += c == '"'    ? "%22"
                   : c == '\r' ? "%0D"
                   : c == '\n' ? "%0A"
                   : c == '\\' ? "\\\\"
                               : std::string(1, c);
    std::string out;
    out.reserve(picture.size() + 1024);
    const auto text = [&](std::string_view part, const std::string& value) {
        if (value.empty()) return;
        out += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + std::string(part) +
               "\"\r\n\r\n" + value + "\r\n";
    };
    text("title", title);
    text("imageSubType", sub_type);
    out += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + escaped +
           "\"\r\nContent-Type: application/octet-stream\r\n\r\n";
    out += picture;
    return out += "\r\n--" + boundary + "--\r\n";
}

/// @p etag: as server_api::put_text().
outcome<json::object> put_tags(session& in, const std::string& key, const std::vector<std::string>& tags,
                               const std::optional<std::string>& etag = {}) {
    json::object body;
    body["tags"] = json::array(tags.begin(), tags.end());
    return in.server.put_text(image_path("tenant", key) + "/tags", json::serialize(body), etag);
}

/// Changes the tags that an image has. The server takes only whole lists of tags, so this begins again when
/// somebody else has changed the image meanwhile.
outcome<json::object> change_tags(session& in, const std::string& key,
                                  const std::function<void(std::vector<std::string>&)>& change) {
    constexpr int most_attempts = 50;
    for (int attempt = 1;; ++attempt) {
        const auto found = in.server.get_tagged(image_path("tenant", key) + "/info");
        if (!found) return found.error();
        auto tags = tags_of(found->value);
        if (!tags) return tags.error();
        change(*tags);
        auto done = put_tags(in, key, *tags, found->etag);
        if (done || done.error().status != precondition_failed || attempt == most_attempts) return done;
    }
}

outcome<json::object> put_public(session& in, const std::string& key, bool wanted) {
    auto done =
        in.server.put(image_path("tenant", key) + "/public/" + (wanted ? "true" : "false"), json::object());
    if (!done) return done.error();
    return done->is_object() ? done->get_object() : json::object();
}

bool is_tag(const std::string& text) {
    const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
    const auto characters = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
    return !text.empty() && is_utf8(text) && characters <= images::max_tag_characters;
}

outcome<json::object> upload_one(session& in, const std::string& path) {
    const auto picture = read_file(path);
    if (!picture) return picture.error();
    const std::string name(name_in_path(path));
    if (!is_utf8(name)) return failure{exit_code::refused, "its name is not valid UTF-8"};
    const auto title = in.given.value("--title").value_or("");
    const auto sub_type = in.given.value("--sub-type").value_or("");
    const auto boundary = "gallery-admin-" + auth::random_alphanumerics(32);
    auto form = form_of(boundary, name, *picture, title, sub_type);
    const auto type = "multipart/form-data; boundary=" + boundary;
    bool replaced = false;
    outcome<json::object> done = failure{};
    if (in.given.has("--replace")) {
        done = in.server.send_form("PUT", image_path("tenant", name), type, form);
        if (!done && done.error().code != exit_code::not_found) return done;
        replaced = done.has_value();
    }
    if (!replaced) done = in.server.send_form("POST", "/api/image", type, std::move(form));
    if (!done) return done;
    const auto key = text_of(*done, "resourceKey");
    const auto tags = in.given.values("--tag");
    // First what must not be left undone if the rest fails.
    if (in.given.has("--private")) {
        auto unpublished = put_public(in, key, false);
        if (!unpublished) return unpublished;
        done = std::move(unpublished);
    }
    if (tags.empty()) return done;
    if (!replaced) return put_tags(in, key, tags);
    return change_tags(in, key, [&tags](std::vector<std::string>& present) {
        present.insert(present.end(), tags.begin(), tags.end());
    });
}

outcome<> upload(session& in) {
    if (in.given.has("--title") && in.given.operands.size() > 1)
        return usage("--title can be used with one file only");
    if (in.given.has("--replace") && (in.given.has("--title") || in.given.has("--sub-type")))
        return usage("--replace keeps the title and the sub type; use it without --title and --sub-type");
    // The server would refuse the tags only after the upload.
    auto tags = in.given.values("--tag");
    for (const auto& tag : tags) {
        if (!is_tag(tag)) return usage("the value of --tag must be UTF-8 with 1 to 64 characters");
    }
    std::sort(tags.begin(), tags.end());
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
    if (tags.size() > images::max_tags) return usage("an image has at most 16 tags");
    return for_each_operand(in, [&in](const std::string& path) { return upload_one(in, path); });
}

// ---- delete, publish, tag ------------------------------------------------------------------------

outcome<> erase(session& in) {
    std::vector<json::object> found;
    const auto& keys = in.given.operands;
    for (const auto& key : keys) {
        auto one = in.server.get_object(image_path("tenant", key) + "/info");
        if (!one) return one.error();
        found.push_back(std::move(*one));
    }
    const auto what = keys.size() == 1 ? "the " + called("image", found[0], "resourceKey")
                                       : std::to_string(keys.size()) + " images";
    if (auto agreed = consent(in, "Delete " + what + "?"); !agreed) return agreed;
    std::size_t at = 0;
    return for_each_operand(
        in,
        [&](const std::string& key) -> outcome<json::object> {
            auto& one = found[at++];
            if (auto done = in.server.erase(image_path("tenant", key)); !done) return done.error();
            return std::move(one);
        },
        "deleted");
}

outcome<> publish(session& in) {
    return for_each_operand(in, [&in](const std::string& key) { return put_public(in, key, true); });
}

outcome<> unpublish(session& in) {
    return for_each_operand(in, [&in](const std::string& key) { return put_public(in, key, false); });
}

constexpr std::array<option, 3> tag_options{{
    {"--add", "TAG", "add this tag; repeat it for several tags", {}, true},
    {"--remove", "TAG", "remove this tag; repeat it for several tags", {}, true},
    {"--clear", "", "remove all other tags"},
}};

outcome<> tag(session& in) {
    const auto add = in.given.values("--add");
    const auto remove = in.given.values("--remove");
    const bool clear = in.given.has("--clear");
    if (add.empty() && remove.empty() && !clear)
        return usage("nothing to change: use --add TAG, --remove TAG or --clear");
    return for_each_operand(in, [&](const std::string& key) -> outcome<json::object> {
        const auto change = [&](std::vector<std::string>& tags) {
            tags.insert(tags.end(), add.begin(), add.end());
            std::erase_if(tags, [&remove](const std::string& one) {
                return std::find(remove.begin(), remove.end(), one) != remove.end();
            });
        };
        if (!clear) return change_tags(in, key, change);
        std::vector<std::string> tags;
        change(tags);
        return put_tags(in, key, tags);
    });
}

constexpr std::array<command, 7> commands{{
    {"images list", "", "list your images",
     "The list contains the tenant's images. A system administrator's list contains the\n"
     "system images. Pictures come before SCADA symbols.",
     "gallery-admin images list --tag 'hall 3' --sort size --descending", list_images_options, list},
    {"images show", "KEY", "show an image", "", "gallery-admin images show pump.svg", show_options, show},
    {"images upload", "FILE...", "upload pictures",
     "The name of the file becomes the key. If it is taken, the key becomes 'pump_(1).svg'.\n"
     "With --replace, the image keeps its title, its sub type and its tags.",
     "gallery-admin images upload pump.svg hall/*.png --tag 'hall 3'", upload_options, upload},
    {"images delete", "KEY...", "delete images", "This cannot be undone.",
     "gallery-admin images delete pump.svg --yes", delete_options, erase},
    {"images publish",
     "KEY...",
     "let everybody see images by their public links",
     "",
     "gallery-admin images publish pump.svg",
     {},
     publish},
    {"images unpublish",
     "KEY...",
     "disable the public links of images",
     "An image keeps its public link. It is valid again after images publish.",
     "gallery-admin images unpublish pump.svg",
     {},
     unpublish},
    {"images tag", "KEY...", "add and remove tags", "An image has at most 16 tags of at most 64 characters.",
     "gallery-admin images tag pump.svg valve.svg --add 'hall 3' --remove draft", tag_options, tag},
}};

}  // namespace

std::span<const command> image_commands() {
    return commands;
}

}  // namespace gallery::admin
