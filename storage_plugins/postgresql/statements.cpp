// SPDX-License-Identifier: Apache-2.0
#include "statements.hpp"

#include <array>
#include <utility>

namespace gallery::postgres {

const std::string record_columns =
    "tenant, key, id, title, file_name, sub_type, is_public, public_key, created_time, modified_time, tags, "
    "original_type, original_width, original_height, original_size, original_sha256, "
    "preview_type, preview_width, preview_height, preview_size, preview_sha256, preview_is_original, "
    "rev, content_rev, body";

namespace {

/// "$first::type, ..." for a record and its body.
std::string record_parameters(int first) {
    constexpr const char* types[record_column_count] = {
        "uuid", "text",   "uuid",  "text", "text", "int2", "bool",  "text", "int8",
        "int8", "text[]", "text",  "int8", "int8", "int8", "bytea", "text", "int8",
        "int8", "int8",   "bytea", "bool", "int8", "int8", "uuid"};
    std::string list;
    for (int i = 0; i < record_column_count; ++i)
        list += (i == 0 ? "$" : ", $") + std::to_string(first + i) + "::" + types[i];
    return list;
}

/// The same columns with "excluded." in front.
std::string excluded_columns() {
    std::string list = "excluded.";
    for (const char c : record_columns)
        list += c == ' ' ? std::string(" excluded.") : std::string(1, c);
    return list;
}

struct entry {
    const char* name;
    std::string text;
};

std::array<entry, statement_count> make_all() {
    std::array<entry, statement_count> all{};
    const auto set = [&all](statement which, const char* name, std::string text) {
        all[static_cast<std::size_t>(which)] = {name, std::move(text)};
    };
    // In `change` the column rev is the change's own, which a record that was erased or dropped does not
    // have.
    std::string change_record = record_columns;
    const std::string own_rev = "rev, content_rev";
    change_record.replace(change_record.find(own_rev), own_rev.size(), "record_rev, content_rev");

    set(statement::begin, "begin", "begin");
    set(statement::begin_snapshot, "begin_snapshot", "begin isolation level repeatable read, read only");
    set(statement::commit, "commit", "commit");
    set(statement::rollback, "rollback", "rollback");
    set(statement::lock_state, "lock_state", "select revision from state for update");
    set(statement::read_state, "read_state", "select revision, trimmed from state");
    set(statement::read_history, "read_history", "select epoch, began_after from history order by epoch");
    set(statement::begin_epoch, "begin_epoch",
        "with moved as (update state s set revision = ((s.revision >> 40) + 1) << 40, server = $1::text "
        "from (select revision from state where server <> $1::text for update) old "
        "returning s.revision >> 40 as epoch, old.revision as began_after) "
        "insert into history (epoch, began_after) select epoch, began_after from moved");
    // Divides by zero, which ends the transaction, where the feed would have a hole.
    set(statement::advance, "advance",
        "update state set revision = $1::int8 where 1 / (select (count(*) = $3::int8)::int from change "
        "where rev > $2::int8 and rev <= $1::int8) = 1");
    set(statement::beat, "beat",
        "insert into node (id, seen) values ($1::uuid, now()) on conflict (id) do update set seen = now()");
    set(statement::replication, "replication",
        "select current_setting('synchronous_standby_names'), "
        "(select reset_val from pg_settings where name = 'synchronous_commit')");
    set(statement::changes_after, "changes_after",
        "select s.revision, s.trimmed, c.* from state s left join (select rev, kind, write, kept, kept_time, "
        "is_erased, "
        "document_kind, document_id, document_body, " +
            change_record +
            " from change where rev > $1::int8 order by rev limit $2::int8) c on true order by c.rev");
    set(statement::find_writes, "find_writes",
        "select distinct write from change where rev > $1::int8 and write = any($2::uuid[])");

    set(statement::put_image, "put_image",
        "with saved as (insert into image (" + record_columns + ") values (" + record_parameters(5) +
            ") on conflict (tenant, key) do update set (" + record_columns + ") = (" + excluded_columns() +
            ") returning " + record_columns +
            ") insert into change (write, kind, kept, kept_time, is_erased, rev, " + change_record +
            ") select $1::uuid, $2::int2, $3::int8, $4::int8, false, rev, " + record_columns + " from saved");
    set(statement::keep_image, "keep_image",
        "insert into kept (kept_rev, kept_time, is_erased, " + record_columns +
            ") select $3::int8, $4::int8, $5::bool, " + record_columns +
            " from image where tenant = $1::uuid and key = $2::text");
    set(statement::erase_image, "erase_image",
        "with gone as (delete from image where tenant = $5::uuid and key = $6::text returning " +
            record_columns + ") insert into change (write, kind, rev, kept, kept_time, is_erased, " +
            change_record + ") select $1::uuid, 2, $2::int8, $3::int8, $4::int8, true, " + record_columns +
            " from gone");
    set(statement::put_version, "put_version",
        "with saved as (insert into kept (kept_rev, kept_time, is_erased, " + record_columns +
            ") select r.rev, $2::int8, $3::bool, r.* from (values (" + record_parameters(4) + ")) as r(" +
            record_columns + ") returning kept_time, is_erased, " + record_columns +
            ") insert into change (write, kind, kept, kept_time, is_erased, rev, " + change_record +
            ") select $1::uuid, 3, content_rev, kept_time, is_erased, rev, " + record_columns +
            " from saved");
    set(statement::drop_version, "drop_version",
        "with gone as (delete from kept where id = $3::uuid and content_rev = $4::int8 returning " +
            record_columns + ") insert into change (write, kind, rev, kept, kept_time, is_erased, " +
            change_record + ") select $1::uuid, 4, $2::int8, content_rev, 0, false, " + record_columns +
            " from gone");

    set(statement::put_body, "put_body",
        "insert into body (id, part, seq, data) values ($1::uuid, $2::int2, $3::int4, $4::bytea)");
    set(statement::read_body, "read_body",
        "select data from body where id = $1::uuid and part = $2::int2 order by seq");
    set(statement::drop_body, "drop_body", "delete from body where id = $1::uuid");
    set(statement::stage, "stage", "insert into staged (body) values ($1::uuid)");
    set(statement::unstage, "unstage", "delete from staged where body = $1::uuid");
    set(statement::find_staged, "find_staged",
        "select body from staged where body = any($1::uuid[]) for update");

    set(statement::put_document, "put_document",
        "with saved as (insert into document (kind, id, body, rev) values ($2::text, $3::text, $4::bytea, "
        "$5::int8) "
        "on conflict (kind, id) do update set (body, rev) = (excluded.body, excluded.rev)) "
        "insert into change (write, kind, rev, document_kind, document_id, document_body) "
        "values ($1::uuid, 5, $5::int8, $2::text, $3::text, $4::bytea)");
    set(statement::erase_document, "erase_document",
        "with gone as (delete from document where kind = $2::text and id = $3::text returning kind, id) "
        "insert into change (write, kind, rev, document_kind, document_id) "
        "select $1::uuid, 6, $4::int8, kind, id from gone");
    set(statement::notify, "notify", "select pg_notify($1::text, $2::text)");
    return all;
}

const std::array<entry, statement_count>& all_statements() {
    static const auto all = make_all();
    return all;
}

}  // namespace

const char* name_of(statement which) noexcept {
    return all_statements()[static_cast<std::size_t>(which)].name;
}

const std::string& text_of(statement which) {
    return all_statements()[static_cast<std::size_t>(which)].text;
}

}  // namespace gallery::postgres
