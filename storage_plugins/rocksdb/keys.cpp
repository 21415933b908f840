// SPDX-License-Identifier: Apache-2.0
#include "keys.hpp"

#include <gallery/text.hpp>

#include <cstring>

namespace gallery::rocks {

void append_big_endian(std::string& to, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8)
        to.push_back(static_cast<char>(value >> shift));
}

std::uint64_t read_big_endian(std::string_view from) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
        value = (value << 8) | static_cast<unsigned char>(from[i]);
    return value;
}

std::string record_key(tenant_id tenant, std::string_view key) {
    std::string made;
    made.reserve(id_size + key.size());
    made.append(raw(tenant)).append(key);
    return made;
}

std::string body_key(image_id id, revision content_rev, representation which) {
    std::string made(raw(id));
    append_big_endian(made, content_rev);
    made.push_back(static_cast<char>(which));
    return made;
}

std::string id_lookup_key(image_id id) {
    std::string made("i");
    made.append(raw(id));
    return made;
}

std::string public_lookup_key(std::string_view public_key) {
    std::string made("p");
    made.append(public_key);
    return made;
}

std::string content_lookup_prefix(tenant_id tenant, const sha256_digest& etag) {
    std::string made("c");
    made.append(raw(tenant)).append(reinterpret_cast<const char*>(etag.data()), etag.size());
    return made;
}

std::string content_lookup_key(const image_record& record) {
    std::string made = content_lookup_prefix(record.tenant, record.original.etag);
    made.append(raw(record.id));
    return made;
}

std::string kept_key(image_id id, revision content_rev) {
    std::string made("v");
    made.append(raw(id));
    append_big_endian(made, content_rev);
    return made;
}

std::string kept_order_prefix() {
    return "o";
}

std::string kept_order_prefix(tenant_id tenant) {
    return std::string("t").append(raw(tenant));
}

std::string kept_order_prefix(image_id id) {
    return std::string("k").append(raw(id));
}

std::string kept_order_key(std::string prefix, revision kept_rev) {
    append_big_endian(prefix, kept_rev);
    return prefix;
}

std::string file_prefix(image_id id) {
    std::string made(1, 'f');
    made.append(raw(id));
    return made;
}

std::string file_key(image_id id, revision content_rev, representation which) {
    std::string made = file_prefix(id);
    append_big_endian(made, content_rev);
    made.push_back(static_cast<char>(which));
    return made;
}

std::string removal_key(std::uint64_t number) {
    std::string made(1, 'd');
    append_big_endian(made, number);
    return made;
}

std::string document_key(std::string_view kind, std::string_view id) {
    std::string made;
    made.reserve(kind.size() + 1 + id.size());
    made.append(kind).push_back('\0');
    made.append(id);
    return made;
}

std::string change_key(revision rev) {
    std::string made;
    append_big_endian(made, rev);
    return made;
}

std::string counter_key(tenant_id tenant, image_sub_type sub_type) {
    std::string made(counter_prefix);
    made.append(raw(tenant)).push_back(static_cast<char>(sub_type));
    return made;
}

std::string usage_key(tenant_id tenant, std::size_t figure) {
    std::string made(usage_prefix);
    made.append(raw(tenant)).push_back(static_cast<char>(figure));
    return made;
}

std::string index_prefix(tenant_id tenant, image_sub_type sub_type, property which) {
    std::string made(raw(tenant));
    made.push_back(static_cast<char>(sub_type));
    made.push_back(static_cast<char>(which));
    return made;
}

std::string after_prefix(std::string prefix) {
    while (!prefix.empty() && prefix.back() == '\xff')
        prefix.pop_back();
    if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    return prefix;
}

namespace {

/// Ends the text with 00 00 and writes a 00 inside it as 00 FF, so that shorter texts sort first and
/// nothing that follows the text takes part in its comparison.
void append_text(std::string& to, std::string_view text) {
    for (const char c : text) {
        to.push_back(c);
        if (c == '\0') to.push_back('\xff');
    }
    to.append(2, '\0');
}

}  // namespace

std::string property_bytes(const image_record& record, property which) {
    std::string made;
    switch (which) {
        case property::created_time:
            append_big_endian(made, ordered(record.created_time));
            break;
        case property::title:
            append_text(made, collation_key(record.title));
            break;
        case property::resource_key:
            append_text(made, record.key);
            break;
        case property::size:
            append_big_endian(made, record.original.size);
            break;
        case property::id:
            break;
    }
    return made;
}

namespace {

index_entry entry_of(const image_record& record, property which) {
    index_entry entry;
    entry.key = index_prefix(record.tenant, record.sub_type, which);
    entry.key.append(property_bytes(record, which)).append(raw(record.id));
    if (which == property::title)
        entry.value = make_title_value(
            {ordered(record.created_time), record.original.size, fold_case(record.title), record.key});
    else
        entry.value = record.key;
    return entry;
}

}  // namespace

index_entry title_entry(const image_record& record) {
    return entry_of(record, property::title);
}

std::vector<index_entry> index_entries(const image_record& record) {
    std::vector<index_entry> entries;
    entries.reserve(all_properties.size());
    for (const property which : all_properties)
        entries.push_back(entry_of(record, which));
    return entries;
}

std::optional<index_key_view> parse_index_key(std::string_view key) noexcept {
    if (key.size() < index_prefix_size + id_size) return std::nullopt;
    return index_key_view{id_from<tenant_id>(key),
                          static_cast<image_sub_type>(key[id_size]),
                          key[id_size + 1],
                          key.substr(0, index_prefix_size),
                          key.substr(index_prefix_size, key.size() - index_prefix_size - id_size),
                          id_from<image_id>(key.substr(key.size() - id_size))};
}

std::string make_title_value(const title_value& value) {
    std::string made;
    made.reserve(24 + value.folded_title.size() + value.image_key.size());
    append_big_endian(made, value.created_time);
    append_big_endian(made, value.size);
    append_big_endian(made, value.folded_title.size());
    made.append(value.folded_title).append(value.image_key);
    return made;
}

std::optional<title_value> parse_title_value(std::string_view value) noexcept {
    if (value.size() < 24) return std::nullopt;
    const auto length = read_big_endian(value.substr(16));
    if (length > value.size() - 24) return std::nullopt;
    return title_value{read_big_endian(value), read_big_endian(value.substr(8)), value.substr(24, length),
                       value.substr(24 + length)};
}

std::optional<std::string_view> image_key_of(char property_letter, std::string_view value) noexcept {
    if (property_letter != static_cast<char>(property::title)) return value;
    const auto title = parse_title_value(value);
    if (!title) return std::nullopt;
    return title->image_key;
}

}  // namespace gallery::rocks
