// SPDX-License-Identifier: Apache-2.0
#include <gallery/kit/rules.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace gallery::kit {
namespace {

bool is_name(std::string_view text, std::size_t max_length) noexcept {
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

std::optional<error> refuse_document(const document_write& part) {
    const auto& doc = part.doc;
    if (!is_document_kind(doc.kind))
        return error{errc::invalid_argument, "\"" + doc.kind +
                                                 "\" is not a kind of document; a kind has 1 to 32 of the "
                                                 "characters a-z, 0-9, _ and -."};
    if (!is_document_id(doc.id))
        return error{errc::invalid_argument, "\"" + doc.id +
                                                 "\" is not an id of a document; an id has 1 to 128 of the "
                                                 "characters a-z, 0-9, _ and -."};
    if (part.what == document_write::action::save && doc.body.size() > document_store::max_body_size)
        return error{errc::invalid_argument, "The document " + doc.kind + "/" + doc.id + " has " +
                                                 std::to_string(doc.body.size()) + " bytes; the limit is " +
                                                 std::to_string(document_store::max_body_size) + "."};
    return std::nullopt;
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

bool is_document_kind(std::string_view text) noexcept {
    return is_name(text, document_store::max_kind_length);
}

bool is_document_id(std::string_view text) noexcept {
    return is_name(text, document_store::max_id_length);
}

std::optional<error> refuse_documents(const std::vector<document_write>& parts) {
    if (parts.empty() || parts.size() > document_store::max_parts)
        return error{errc::invalid_argument,
                     "A write of documents has 1 to " + std::to_string(document_store::max_parts) +
                         " parts; this one has " + std::to_string(parts.size()) + "."};
    std::set<std::pair<std::string_view, std::string_view>> names;
    for (const auto& part : parts) {
        if (auto wrong = refuse_document(part)) return wrong;
        if (!names.emplace(part.doc.kind, part.doc.id).second)
            return error{errc::invalid_argument, "The document " + part.doc.kind + "/" + part.doc.id +
                                                     " is in the same write twice."};
    }
    return std::nullopt;
}

documents_outcome judge(
    const std::vector<document_write>& parts,
    const std::function<revision(const std::string& kind, const std::string& id)>& current) {
    documents_outcome outcome;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto rev = current(parts[i].doc.kind, parts[i].doc.id);
        const bool is_missing = parts[i].what == document_write::action::erase && rev == 0;
        if (!is_missing && parts[i].condition.holds(rev)) continue;
        outcome.status = is_missing ? write_status::absent : write_status::conflict;
        outcome.failed = i;
        outcome.current = rev;
        break;
    }
    return outcome;
}

image_record updated(const image_record& current, const image_record& wanted, revision rev) {
    image_record next = current;
    next.title = wanted.title;
    next.file_name = wanted.file_name;
    next.sub_type = wanted.sub_type;
    next.is_public = wanted.is_public;
    next.tags = wanted.tags;
    next.modified_time = wanted.modified_time;
    next.rev = rev;
    return next;
}

usage_figures figures_of(const image_record& record) noexcept {
    return {1, record.original.size, record.preview_is_original ? 0 : record.preview.size};
}

write_outcome refused(write_status status, record_ptr current) {
    write_outcome outcome;
    outcome.status = status;
    outcome.rev = current ? current->rev : 0;
    outcome.record = std::move(current);
    return outcome;
}

change image_change(change::kind what, const image_record& record, revision rev, revision kept) {
    change entry;
    entry.what = what;
    entry.rev = rev;
    entry.tenant = record.tenant;
    entry.key = record.key;
    entry.id = record.id;
    entry.public_key = record.public_key;
    entry.kept = kept;
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

error no_such_image(const image_id& id) {
    return {errc::not_found, "There is no image with the id " + to_string(id) + "."};
}

error no_such_public_key(std::string_view public_key) {
    return {errc::not_found, "There is no image with the public key " + std::string(public_key) + "."};
}

error no_such_version(const image_id& id, revision content_rev) {
    return {errc::not_found, "There is no kept version " + std::to_string(content_rev) + " of the image " +
                                 to_string(id) + "."};
}

error no_such_document(std::string_view kind, std::string_view id) {
    return {errc::not_found, "There is no document " + std::string(kind) + "/" + std::string(id) + "."};
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

error bad_cursor(std::string_view scan, std::string_view cursor) {
    return {errc::invalid_argument, "\"" + std::string(cursor) + "\" is not a cursor of this scan of " +
                                        std::string(scan) + "; start with an empty one."};
}

error bad_limit() {
    return {errc::invalid_argument, "The limit is 0; it must be at least 1."};
}

}  // namespace gallery::kit
