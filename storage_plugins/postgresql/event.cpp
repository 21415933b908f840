// SPDX-License-Identifier: Apache-2.0
#include "event.hpp"

#include <gallery/kit/rules.hpp>

#include <stdexcept>

namespace gallery::postgres {
namespace {

void encode_descriptor(const body_descriptor& from, std::vector<parameter>& to) {
    to.push_back(of_text(from.media_type));
    to.push_back(of_count(from.width));
    to.push_back(of_count(from.height));
    to.push_back(of_count(from.size));
    to.push_back(of_digest(from.etag));
}

body_descriptor decode_descriptor(const fields& row, std::size_t column) {
    return {text_of(row[column]), static_cast<std::uint32_t>(count_of(row[column + 1])),
            static_cast<std::uint32_t>(count_of(row[column + 2])), count_of(row[column + 3]),
            digest_of(row[column + 4])};
}

}  // namespace

change change_of(const event& from) {
    switch (from.what) {
        case change::kind::document_saved:
        case change::kind::document_erased:
            return kit::document_change(from.what, from.doc.kind, from.doc.id, from.rev);
        default:
            return kit::image_change(from.what, *from.image.record, from.rev, from.kept);
    }
}

void encode_record(const image_record& record, const uuid& body, std::vector<parameter>& to) {
    to.reserve(to.size() + record_column_count);
    to.push_back(of_uuid(record.tenant.value));
    to.push_back(of_text(record.key));
    to.push_back(of_uuid(record.id.value));
    to.push_back(of_text(record.title));
    to.push_back(of_text(record.file_name));
    to.push_back(of_int2(static_cast<std::int16_t>(record.sub_type)));
    to.push_back(of_bool(record.is_public));
    to.push_back(of_text(record.public_key));
    to.push_back(of_int8(record.created_time));
    to.push_back(of_int8(record.modified_time));
    to.push_back(of_texts(record.tags));
    encode_descriptor(record.original, to);
    encode_descriptor(record.preview, to);
    to.push_back(of_bool(record.preview_is_original));
    to.push_back(of_count(record.rev));
    to.push_back(of_count(record.content_rev));
    to.push_back(of_uuid(body));
}

kit::stored decode_record(const fields& row, std::size_t column) {
    if (row.size() < column + record_column_count)
        throw std::runtime_error("a row of the database has fewer fields than this version stores");
    auto record = std::make_shared<image_record>();
    auto next = [&row, &column]() -> const field& { return row[column++]; };
    record->tenant.value = uuid_of(next());
    record->key = text_of(next());
    record->id.value = uuid_of(next());
    record->title = text_of(next());
    record->file_name = text_of(next());
    record->sub_type = static_cast<image_sub_type>(int_of(next()));
    record->is_public = bool_of(next());
    record->public_key = text_of(next());
    record->created_time = int_of(next());
    record->modified_time = int_of(next());
    record->tags = texts_of(next());
    record->original = decode_descriptor(row, column);
    record->preview = decode_descriptor(row, column + 5);
    column += 10;
    record->preview_is_original = bool_of(next());
    record->rev = count_of(next());
    record->content_rev = count_of(next());
    return {std::move(record), uuid_of(next())};
}

event decode_change(const fields& row, std::size_t column) {
    const std::size_t record_at = column + 8;
    event one;
    one.rev = count_of(row[column]);
    one.what = static_cast<change::kind>(int_of(row[column + 1]));
    one.write = uuid_of(row[column + 2]);
    one.kept = count_of(row[column + 3]);
    one.kept_time = int_of(row[column + 4]);
    one.is_erased = bool_of(row[column + 5]);
    switch (one.what) {
        case change::kind::document_saved:
            one.doc = {text_of(row[column + 6]), text_of(row[column + 7]), text_of(row[record_at]), one.rev};
            break;
        case change::kind::document_erased:
            one.doc = {text_of(row[column + 6]), text_of(row[column + 7]), {}, one.rev};
            break;
        default:
            one.image = decode_record(row, record_at + 1);
    }
    return one;
}

changes_read decode_changes(const answer& from, std::size_t which) {
    constexpr std::size_t change_at = 2;
    changes_read out;
    fields row;
    for (int i = 0; i < from.rows(which); ++i) {
        from.row(which, i, row);
        out.newest = count_of(row[0]);
        out.trimmed = count_of(row[1]);
        // A single row without a change where there is none.
        if (!row[change_at].is_null()) out.events.push_back(decode_change(row, change_at));
    }
    return out;
}

}  // namespace gallery::postgres
