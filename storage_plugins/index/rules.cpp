#include "index/rules.hpp"

#include <algorithm>
#include <utility>

namespace gallery::store_index {
namespace {

constexpr std::size_t max_kind_length = 32;
constexpr std::size_t max_id_length = 128;
constexpr std::size_t max_body_size = 64 * 1024;

bool is_name(std::string_view text, std::size_t max_length) {
    return !text.empty() && text.size() <= max_length && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

std::optional<error> refuse_size(const image_record& record, const char* what, std::uint64_t described,
                                 std::uint64_t given) {
    if (described == given) return std::nullopt;
    return error{errc::invalid_argument, "The " + std::string(what) + " of " +
                                             describe(record.tenant, record.key) + " has " +
                                             std::to_string(given) + " bytes, but its descriptor says " +
                                             std::to_string(described) + "."};
}

}  // namespace

std::string describe(const tenant_id& tenant, std::string_view key) {
    return "image \"" + std::string(key) + "\" of tenant " + to_string(tenant);
}

std::optional<error> refuse_save(const image_record& record, const body& original, const body& preview) {
    if (auto wrong = refuse_size(record, "original", record.original.size, original.size())) return wrong;
    if (record.preview_is_original) return std::nullopt;
    return refuse_size(record, "preview", record.preview.size, preview.size());
}

std::optional<error> refuse_document_name(std::string_view kind, std::string_view id) {
    if (!is_name(kind, max_kind_length))
        return error{errc::invalid_argument,
                     "\"" + std::string(kind) + "\" is no kind of document: 1 to 32 of a-z, 0-9, _ and -."};
    if (!is_name(id, max_id_length))
        return error{errc::invalid_argument,
                     "\"" + std::string(id) + "\" is no id of a document: 1 to 128 of a-z, 0-9, _ and -."};
    return std::nullopt;
}

std::optional<error> refuse_document(const document& doc) {
    if (auto wrong = refuse_document_name(doc.kind, doc.id)) return wrong;
    if (doc.body.size() > max_body_size)
        return error{errc::invalid_argument, "The document " + doc.kind + "/" + doc.id + " has " +
                                                 std::to_string(doc.body.size()) +
                                                 " bytes; a document has at most 65536."};
    return std::nullopt;
}

image_record updated(const image_record& current, const image_record& wanted, revision rev) {
    image_record next = current;
    next.title = wanted.title;
    next.file_name = wanted.file_name;
    next.sub_type = wanted.sub_type;
    next.is_public = wanted.is_public;
    next.external_id = wanted.external_id;
    next.origin = wanted.origin;
    next.rev = rev;
    return next;
}

change image_change(change::kind what, const image_record& record, revision rev) {
    change entry;
    entry.what = what;
    entry.rev = rev;
    entry.tenant = record.tenant;
    entry.key = record.key;
    entry.id = record.id;
    entry.public_key = record.public_key;
    return entry;
}

change document_change(change::kind what, std::string kind, std::string id, revision rev) {
    change entry;
    entry.what = what;
    entry.rev = rev;
    entry.document_kind = std::move(kind);
    entry.document_id = std::move(id);
    return entry;
}

error no_such_image(const tenant_id& tenant, std::string_view key) {
    return {errc::not_found, "There is no " + describe(tenant, key) + "."};
}

error stale_record(const image_record& record) {
    return {errc::stale, "The " + describe(record.tenant, record.key) +
                             " was replaced or erased after revision " + std::to_string(record.rev) +
                             "; find it again."};
}

error id_taken(const image_record& wanted, const image_record& owner) {
    return {errc::invalid_argument, "The id " + to_string(wanted.id) + " of " +
                                        describe(wanted.tenant, wanted.key) + " belongs to " +
                                        describe(owner.tenant, owner.key) + "."};
}

}  // namespace gallery::store_index
