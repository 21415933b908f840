// SPDX-License-Identifier: Apache-2.0
#include "images/system_images.hpp"

#include "images/supplied_folder.hpp"

#include <gallery/encode.hpp>
#include <gallery/sha256.hpp>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::images {
namespace {

namespace json = boost::json;

constexpr const char* document_kind = "system_image";

image_write_permit system_permit() {
    return permit_of_the_server<image_operation::write>(system_tenant);
}

// Document ids consist of [a-z0-9_-]. File names of supplied pictures are short and lower-case, so different
// names stay different.
std::string document_id(std::string_view file) {
    std::string id;
    for (const char c : file)
        id += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ? c : '_';
    return id;
}

/// Differs after each change of the image. Unlike its revision, a copy of the store has the same.
std::string state_of(const image_record& record) {
    json::array all;
    all.emplace_back(to_hex(record.original.etag));
    all.emplace_back(record.modified_time);
    all.emplace_back(record.title);
    all.emplace_back(record.is_public);
    for (const auto& tag : record.tags)
        all.emplace_back(tag);
    const auto text = json::serialize(all);
    return to_hex(sha256(std::span<const char>(text)));
}

/// Instead of a state, of an image that the administrator has changed or deleted.
constexpr const char* changed_state = "changed";

/// The document of an installed picture.
struct installation {
    std::int64_t version = 0;
    std::string key;
    std::string state;  ///< state_of() the image when it was installed
    revision rev = 0;   ///< its revision then; earlier versions of the server stored this alone

    [[nodiscard]] bool is_of(const image_record& record) const {
        return state.empty() ? record.rev == rev : state_of(record) == state;
    }
};

std::string to_text(std::int64_t version, const image_record& record) {
    json::object object;
    object["version"] = version;
    object["key"] = record.key;
    object["state"] = state_of(record);
    object["revision"] = record.rev;  // for earlier versions of the server
    return json::serialize(object);
}

std::string to_text(const installation& changed) {
    json::object object;
    object["version"] = changed.version;
    object["key"] = changed.key;
    object["state"] = changed_state;
    object["revision"] = changed.rev;  // for earlier versions of the server
    return json::serialize(object);
}

installation parse_installation(const std::string& text) {
    installation found;
    json::error_code ec;
    const auto body = json::parse(text, ec);
    const auto* object = body.if_object();
    if (object == nullptr) return found;
    if (const auto* v = object->if_contains("version")) found.version = v->to_number<std::int64_t>(ec);
    if (const auto* v = object->if_contains("key"); v != nullptr && v->is_string())
        found.key = v->get_string();
    if (const auto* v = object->if_contains("state"); v != nullptr && v->is_string())
        found.state = v->get_string();
    if (const auto* v = object->if_contains("revision")) found.rev = v->to_number<revision>(ec);
    return found;
}

/// Whether a crash prevented an earlier start from recording the picture: the stored image is the supplied
/// one and was not changed since it was written.
bool is_unrecorded(const image_record& stored, const picture_file& file) {
    return stored.original.etag == file.digest && stored.rev == stored.content_rev;
}

/// Another server or the administrator was faster, so there is nothing to do.
result<record_ptr> unless_changed(result<record_ptr> written) {
    if (!written && written.error().code == errc::version_conflict) return record_ptr();
    return written;
}

/// Installs a picture that was never installed. Null if the administrator uploaded an image of this name
/// before this version of the server supplied it, or if another server installs it at the same time.
task<result<record_ptr>> install(image_service& images, image_store& store, supplied_picture picture,
                                 picture_file file) {
    auto taken = co_await store.find(system_tenant, picture.file);
    if (taken) {
        const bool is_same_title = picture.title.empty() || (*taken)->title == picture.title;
        if (is_unrecorded(**taken, file) && is_same_title) co_return std::move(*taken);
        co_return record_ptr();
    }
    new_image image;
    image.file = std::move(file);
    image.key = picture.file;
    image.title = picture.title;
    image.sub_type = picture.sub_type;
    auto written = co_await images.upload(system_permit(), std::move(image));
    co_return unless_changed(std::move(written));
}

/// Updates an installed picture. Null if the administrator or another server changed or deleted it.
task<result<record_ptr>> update(image_service& images, image_store& store, installation before,
                                picture_file file) {
    auto current = co_await store.find(system_tenant, before.key);
    if (!current) co_return record_ptr();
    if (is_unrecorded(**current, file)) co_return std::move(*current);
    if (!before.is_of(**current)) co_return record_ptr();
    std::string key = before.key;
    record_check is_untouched = [before = std::move(before)](const image_record* record) -> result<void> {
        if (before.is_of(*record)) return {};
        return error{errc::version_conflict, "changed by the administrator"};
    };
    auto written =
        co_await images.replace(system_permit(), std::move(key), std::move(file), std::move(is_untouched));
    co_return unless_changed(std::move(written));
}

/// Completes what an earlier version of the server has recorded, as long as the revision says whether the
/// image is unchanged: a copy of the store has other revisions, one of which may be the recorded one by
/// chance. A failure is no reason not to start; the next start repeats this.
task<void> complete_record(image_store& store, document_store& documents, document known) {
    const auto before = parse_installation(known.body);
    if (!before.state.empty() || before.key.empty()) co_return;
    std::string key = before.key;
    const auto current = co_await store.find(system_tenant, std::move(key));
    if (!current && current.error().code != errc::not_found) co_return;
    const bool is_unchanged = current && before.is_of(**current);
    const auto as_read = precondition::match(known.rev);
    known.body = is_unchanged ? to_text(before.version, **current) : to_text(before);
    static_cast<void>(co_await documents.save(std::move(known), as_read));
}

}  // namespace

task<result<installed_images>> install_system_images(image_service& images, image_store& store,
                                                     document_store& documents,
                                                     std::filesystem::path folder) {
    auto index = read_supplied_index(folder);
    if (!index) co_return index.error();
    installed_images report;
    for (const auto& picture : *index) {
        const auto id = document_id(picture.file);
        const auto known = co_await documents.find(document_kind, id);
        if (!known && known.error().code != errc::not_found) co_return known.error();
        const auto before = known ? parse_installation(known->body) : installation{};
        if (before.version >= picture.version) {
            if (known) {
                document recorded = *known;
                co_await complete_record(store, documents, std::move(recorded));
            }
            ++report.kept;
            continue;
        }
        auto file = load_supplied_picture(folder, picture.file);
        if (!file) {
            report.problems.push_back("The supplied image " + (folder / picture.file).string() +
                                      " cannot be read.");
            continue;
        }
        auto work = known ? update(images, store, before, std::move(*file))
                          : install(images, store, picture, std::move(*file));
        const auto written = co_await std::move(work);
        if (!written) {
            report.problems.push_back("The supplied image " + picture.file +
                                      " was not installed: " + written.error().message);
            continue;
        }
        if (*written == nullptr) {
            ++report.kept;
            continue;
        }
        ++(known ? report.updated : report.installed);
        document recorded;
        recorded.kind = document_kind;
        recorded.id = id;
        recorded.body = to_text(picture.version, **written);
        const auto as_read = known ? precondition::match(known->rev) : precondition::absent();
        // A conflict means that another server has recorded it.
        const auto saved = co_await documents.save(std::move(recorded), as_read);
        if (!saved) co_return saved.error();
    }
    co_return report;
}

}  // namespace gallery::images
