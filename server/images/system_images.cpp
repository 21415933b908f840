// SPDX-License-Identifier: Apache-2.0
#include "images/system_images.hpp"

#include <gallery/sub_type.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

namespace gallery::images {
namespace {

image_write_permit server_permit(tenant_id tenant) {
    return permit_of_the_server<image_operation::write>(tenant);
}

namespace json = boost::json;

struct packaged {
    std::string file;
    std::string title;
    image_sub_type sub_type = image_sub_type::image;
    std::int64_t version = 1;
};

std::optional<std::string> read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(in), {});
}

result<std::vector<packaged>> read_index(const std::filesystem::path& folder) {
    const auto path = folder / "index.json";
    const auto malformed = [&](std::string_view why) {
        return error{errc::invalid_argument, "The index of supplied images " + path.string() + " " +
                                                 std::string(why) + ". Install the server's files again."};
    };
    const auto text = read_file(path);
    if (!text) return malformed("cannot be read");
    json::error_code ec;
    const auto document = json::parse(*text, ec);
    if (ec || !document.is_array()) return malformed("is not a JSON array");
    std::vector<packaged> pictures;
    for (const auto& item : document.get_array()) {
        const auto* object = item.if_object();
        const auto text_of = [&](const char* name) -> std::optional<std::string> {
            const auto* value = object != nullptr ? object->if_contains(name) : nullptr;
            if (value == nullptr || !value->is_string()) return std::nullopt;
            return std::string(value->get_string());
        };
        packaged picture;
        auto file = text_of("file");
        if (!file) return malformed("has an entry without 'file'");
        picture.file = std::move(*file);
        picture.title = text_of("title").value_or("");
        if (const auto name = text_of("subType")) {
            const auto sub_type = sub_types.find(*name);
            if (!sub_type) return malformed("has an unknown 'subType'");
            picture.sub_type = *sub_type;
        }
        if (const auto* version = object->if_contains("version"); version != nullptr && version->is_int64())
            picture.version = version->get_int64();
        pictures.push_back(std::move(picture));
    }
    return pictures;
}

// Documents have ids of [a-z0-9_-]; file names of packaged pictures are short and lower-case, so replacing
// the rest keeps them apart.
std::string document_id(std::string_view file) {
    std::string id;
    for (const char c : file)
        id += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ? c : '_';
    return id;
}

std::string note(std::int64_t version, const image_record& record) {
    json::object object;
    object["version"] = version;
    object["key"] = record.key;
    object["revision"] = record.rev;
    return json::serialize(object);
}

std::optional<picture_file> load(const std::filesystem::path& folder, const std::string& name) {
    auto content = read_file(folder / name);
    if (!content) return std::nullopt;
    picture_file file;
    file.file_name = name;
    file.data = bytes::own(std::move(*content));
    file.digest = sha256(file.data.span());
    return file;
}

/// A crash came between the writing of the picture and its note: the stored one is the packaged one, and
/// nobody has changed it since it was written.
bool is_left_unnoted(const image_record& stored, const picture_file& file) {
    return stored.original.etag == file.digest && stored.rev == stored.content_rev;
}

}  // namespace

task<result<installed_images>> install_system_images(image_service& gallery, image_store& store,
                                                     document_store& documents,
                                                     std::filesystem::path folder) {
    auto index = read_index(folder);
    if (!index) co_return index.error();
    installed_images report;
    for (const auto& picture : *index) {
        const auto id = document_id(picture.file);
        auto known = co_await documents.find("system_image", id);
        if (!known && known.error().code != errc::not_found) co_return known.error();
        std::int64_t version = 0;
        std::string key;
        revision rev = 0;
        if (known) {
            json::error_code ec;
            const auto body = json::parse(known->body, ec);
            if (const auto* object = body.if_object()) {
                if (const auto* v = object->if_contains("version")) version = v->to_number<std::int64_t>(ec);
                if (const auto* v = object->if_contains("key"); v != nullptr && v->is_string())
                    key = v->get_string();
                if (const auto* v = object->if_contains("revision")) rev = v->to_number<revision>(ec);
            }
        }
        if (version >= picture.version) {
            ++report.kept;
            continue;
        }
        auto file = load(folder, picture.file);
        if (!file) {
            report.problems.push_back("The supplied image " + (folder / picture.file).string() +
                                      " cannot be read.");
            continue;
        }
        auto written = result<record_ptr>(error{});
        if (!known) {
            // The administrator may have uploaded one of that name before this version had it.
            auto taken = co_await store.find(system_tenant, picture.file);
            const bool unnoted = taken && is_left_unnoted(**taken, *file) &&
                                 (picture.title.empty() || (*taken)->title == picture.title);
            if (taken && !unnoted) {
                ++report.kept;
                continue;
            }
            if (unnoted) {
                written = std::move(taken);
            } else {
                new_image image;
                image.file = std::move(*file);
                image.key = picture.file;
                image.title = picture.title;
                image.sub_type = picture.sub_type;
                written = co_await gallery.upload(server_permit(system_tenant), std::move(image));
            }
            // Another server installs it at this moment, and notes so.
            if (!written && written.error().code == errc::version_conflict) {
                ++report.kept;
                continue;
            }
            if (written) ++report.installed;
        } else {
            auto current = co_await store.find(system_tenant, key);
            const bool unnoted = current && is_left_unnoted(**current, *file);
            if (!current || ((*current)->rev != rev && !unnoted)) {
                ++report.kept;
                continue;
            }
            if (unnoted) {
                written = std::move(current);
            } else {
                record_check untouched = [rev](const image_record* record) -> result<void> {
                    if (record->rev == rev) return {};
                    return error{errc::version_conflict, "changed by the administrator"};
                };
                written = co_await gallery.replace(server_permit(system_tenant), key, std::move(*file),
                                                   std::move(untouched));
            }
            // The administrator or another server changed it at this moment.
            if (!written && written.error().code == errc::version_conflict) {
                ++report.kept;
                continue;
            }
            if (written) ++report.updated;
        }
        if (!written) {
            report.problems.push_back("The supplied image " + picture.file +
                                      " was not installed: " + written.error().message);
            continue;
        }
        document installed;
        installed.kind = "system_image";
        installed.id = id;
        installed.body = note(picture.version, **written);
        // A conflict: another server has noted it.
        const auto as_read = known ? precondition::match(known->rev) : precondition::absent();
        auto saved = co_await documents.save(std::move(installed), as_read);
        if (!saved) co_return saved.error();
    }
    co_return report;
}

task<result<installed_images>> install_samples(image_service& gallery, tenant_id tenant,
                                               std::filesystem::path folder, std::size_t count) {
    installed_images report;
    image_query query;
    query.tenant = tenant;
    query.page_size = 1;
    auto present = co_await gallery.list(server_permit(tenant), query);
    if (!present) co_return present.error();
    if (present->total != 0) co_return report;
    auto index = read_index(folder);
    if (!index) co_return index.error();
    for (const auto& picture : *index) {
        if (report.installed == count) break;
        if (picture.sub_type != image_sub_type::image) continue;
        auto file = load(folder, picture.file);
        if (!file) continue;
        new_image image;
        image.file = std::move(*file);
        image.key = picture.file;
        image.title = picture.title;
        auto written = co_await gallery.upload(server_permit(tenant), std::move(image));
        if (written || written.error().code == errc::version_conflict) {
            // A conflict: another server uploads it at this moment.
            ++report.installed;
        } else {
            report.problems.push_back("The sample " + picture.file +
                                      " was not uploaded: " + written.error().message);
        }
    }
    co_return report;
}

}  // namespace gallery::images
