// SPDX-License-Identifier: Apache-2.0
#include "schema.hpp"

#include "statements.hpp"

namespace gallery::postgres {
namespace {

/// Columns of a record, with types. `text collate "C"`: keys are compared bytewise.
constexpr const char* record_definition = R"(
    tenant uuid, key text collate "C", id uuid, title text, file_name text, sub_type int2, is_public bool,
    public_key text collate "C", created_time int8, modified_time int8, tags text[],
    original_type text, original_width int8, original_height int8, original_size int8, original_sha256 bytea,
    preview_type text, preview_width int8, preview_height int8, preview_size int8, preview_sha256 bytea,
    preview_is_original bool, )";

/// Bodies are replaced whole, so that a store that is only half full of live ones is vacuumed early and its
/// space is used again. Chunks are stored out of line and uncompressed: pictures do not shrink.
std::string definition() {
    const std::string record = record_definition;
    return R"(
create table state (
    only_one bool primary key default true check (only_one),
    version int4 not null,
    server text not null,
    revision int8 not null,
    trimmed int8 not null
) with (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create table history (epoch int8 primary key, began_after int8 not null);
create table node (id uuid primary key, seen timestamptz not null)
    with (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create table image ()" +
           record +
           R"(rev int8 not null, content_rev int8 not null, body uuid not null, primary key (tenant, key));
create unique index image_id on image (id);
create unique index image_public_key on image (public_key) where public_key <> '';
create table kept ()" +
           record + R"(rev int8 not null, content_rev int8 not null, body uuid not null,
    kept_rev int8 not null unique, kept_time int8 not null, is_erased bool not null, primary key (id, content_rev));
create table document (
    kind text collate "C", id text collate "C", body bytea not null, rev int8 not null, primary key (kind, id)
) with (autovacuum_vacuum_scale_factor = 0.05);
create table change (
    kind int2 not null, write uuid not null, kept int8 not null default 0, kept_time int8 not null default 0,
    is_erased bool not null default false,
    document_kind text collate "C", document_id text collate "C", document_body bytea, )" +
           record + R"(rev int8 primary key, record_rev int8, content_rev int8, body uuid
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create table body (id uuid, part int2, seq int4, data bytea not null, primary key (id, part, seq))
    with (autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05,
          autovacuum_vacuum_cost_delay = 0, toast.autovacuum_vacuum_cost_delay = 0);
alter table body alter column data set storage external;
create table staged (body uuid primary key, since timestamptz not null default now());
)";
}

error schema_error(const failure& what, const std::string& schema) {
    auto wrong = to_error(what, "preparing the schema \"" + schema + "\"");
    if (what.sqlstate == "42501")
        wrong.message += ". The role needs the right to create the schema, or an empty schema of its own.";
    return wrong;
}

}  // namespace

std::string quoted_identifier(std::string_view name) {
    std::string quoted = "\"";
    for (const char c : name)
        quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
}

std::string quoted_literal(std::string_view text) {
    std::string quoted = " E'";
    for (const char c : text)
        quoted += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
    return quoted + '\'';
}

task<result<void>> prepare_schema(connection& on, std::string schema, std::string server, log_function log) {
    const auto name = quoted_literal(schema);
    std::string look = "begin; select pg_advisory_xact_lock(1734437996, hashtext(" + name +
                       ")); select to_regnamespace(quote_ident(" + name +
                       ")) is not null, to_regclass(quote_ident(" + name + ") || '.state') is not null";
    auto found = co_await on.execute(std::move(look));
    if (found.failed) co_return schema_error(*found.failed, schema);
    const bool has_schema = found.text(2, 0, 0) == "t";
    const bool has_tables = found.text(2, 0, 1) == "t";
    std::string then;
    if (!has_tables) {
        if (!has_schema) then = "create schema " + quoted_identifier(schema) + ";";
        then += definition();
        then += "insert into state (version, server, revision, trimmed) values (" +
                std::to_string(schema_version) + ", " + quoted_literal(server) + ", 0, 0);";
    } else {
        auto version = co_await on.execute("select version from state");
        if (version.failed) co_return schema_error(*version.failed, schema);
        const auto stored = version.text(0, 0, 0);
        if (stored != std::to_string(schema_version)) {
            auto undo = co_await on.execute("rollback");
            co_return error{errc::unavailable,
                            "The schema \"" + schema + "\" has the format " + stored +
                                "; this server reads format " + std::to_string(schema_version) +
                                ". Use the version of the server that wrote it, or a later one."};
        }
    }
    then += "commit";
    auto done = co_await on.execute(std::move(then));
    if (done.failed) co_return schema_error(*done.failed, schema);
    if (!has_tables)
        log(log_level::info,
            "postgresql: created the tables of a new store in the schema \"" + schema + "\".");
    co_return result<void>();
}

}  // namespace gallery::postgres
