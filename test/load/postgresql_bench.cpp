// SPDX-License-Identifier: Apache-2.0
// postgresql_bench <case> --dsn <connection string> [--option value]...
//
// The cases of postgresql.py that need no server: operations of the storage plugin postgresql beside the same
// work in plain libpq, or beside the plugin rocksdb. The two sides run alternately, in turns. Prints a line
// of JSON. Cases:
//   read     a record and its body of 100 KB, which is not in memory, beside two queries (microseconds);
//   `turns` as
//            most requests read it, `strict` as those do that demand the newest
//   write    16 writers of 2 KB, beside 16 threads with a transaction for each image (writes a second)
//   upload   4 writers of 1 MB, beside 4 threads that insert the same chunks (writes a second)
//   visible  how long after its acknowledgement a write is in the feed of another node (microseconds)
//   fill     copies all records of the schema to the rocksdb store
//   lists    pages of 30 by each property, beside rocksdb (microseconds)
//   open     opening one of the stores: milliseconds, resident bytes, records
#include "picture.hpp"

#include <gallery/encode.hpp>
#include <gallery/text.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>

#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace gallery;
using load::must;
using load::stop;
using steady = std::chrono::steady_clock;
namespace json = boost::json;

namespace {

constexpr tenant_id owner{uuid{7}};
constexpr std::size_t page_size = 30;
constexpr std::size_t chunk_size = 256 * 1024;

std::mt19937_64 dice(std::random_device{}());

struct settings {
    std::string postgresql;  // the plugins' files
    std::string rocksdb;
    std::string dsn;
    std::string schema = "gallery";
    std::string folder;     // the stores' own folders are in it
    unsigned turns = 5;     // of both sides
    unsigned count = 1000;  // operations in a turn
};

double micros_since(steady::time_point begin) {
    return std::chrono::duration<double, std::micro>(steady::now() - begin).count();
}

double at_percent(std::vector<double>& values, std::size_t percent) {
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, values.size() * percent / 100)];
}

// ---- the engines -----------------------------------------------------------------------------------------

/// One I/O thread, this one. It outlives the stores, whose threads post to it.
asio::io_context& io() {
    static asio::io_context context{1};
    return context;
}

void run(std::vector<task<void>> all) {
    io().restart();
    for (auto& each : all)
        asio::co_spawn(io(), std::move(each), [](std::exception_ptr thrown) {
            if (thrown) stop("an exception crossed the contract");
        });
    io().run();
}

void run(task<void> one) {
    std::vector<task<void>> all;
    all.push_back(std::move(one));
    run(std::move(all));
}

using engine_ptr = std::unique_ptr<storage_engine>;

engine_ptr open_engine(const std::string& file, const std::string& folder,
                       std::map<std::string, std::string> options) {
    plugin_context context;
    context.path = folder;
    std::filesystem::create_directories(folder);
    context.options = std::move(options);
    context.log = [](log_level how, std::string_view text) {
        if (how >= log_level::warning)
            std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
    };
    return must(load::load_plugin(file).create(context));
}

engine_ptr open_postgresql(const settings& given, const std::string& node,
                           const char* cache_bytes = "64000000") {
    return open_engine(given.postgresql, given.folder + "/" + node,
                       {{"dsn", given.dsn}, {"schema", given.schema}, {"cache_bytes", cache_bytes}});
}

engine_ptr open_rocksdb(const settings& given) {
    return open_engine(given.rocksdb, given.folder + "/rocksdb", {});
}

// ---- pictures --------------------------------------------------------------------------------------------

using load::picture;

picture make(std::string key, std::size_t size) {
    return load::make_picture(owner, std::move(key), "Pump room", size, dice);
}

std::vector<picture> make_many(const std::string& name, unsigned count, std::size_t size) {
    std::vector<picture> many;
    for (unsigned i = 0; i < count; ++i)
        many.push_back(make(name + "-" + std::to_string(i) + ".png", size));
    return many;
}

task<void> save_all(image_store& store, std::vector<picture>& pictures, std::size_t& next) {
    while (next < pictures.size()) {
        picture& mine = pictures[next++];
        body content = bytes::own(std::move(mine.bytes));
        body none;
        const auto saved =
            must(co_await store.save(mine.record, std::move(content), std::move(none), precondition::any()));
        if (saved.status != write_status::committed) stop("an image was not stored");
    }
}

/// Returns writes a second.
double save_many(image_store& store, std::vector<picture> pictures, unsigned writers) {
    const auto count = static_cast<double>(pictures.size());
    std::size_t next = 0;
    std::vector<task<void>> all;
    for (unsigned i = 0; i < writers; ++i)
        all.push_back(save_all(store, pictures, next));
    const auto begin = steady::now();
    run(std::move(all));
    return count * 1e6 / micros_since(begin);
}

// ---- plain libpq -----------------------------------------------------------------------------------------

const std::string columns =
    "tenant, key, id, title, file_name, sub_type, is_public, public_key, created_time, modified_time, tags, "
    "original_type, original_width, original_height, original_size, original_sha256, preview_type, "
    "preview_width, preview_height, preview_size, preview_sha256, preview_is_original, rev, content_rev, "
    "body";

/// A blocking connection.
class plain_connection {
public:
    plain_connection(const std::string& dsn, const std::string& schema) : handle_(PQconnectdb(dsn.c_str())) {
        if (PQstatus(handle_) != CONNECTION_OK) stop(PQerrorMessage(handle_));
        execute("set search_path to \"" + schema + "\"");
        execute("set synchronous_commit to on");
        execute("set client_min_messages to warning");
    }
    plain_connection(const plain_connection&) = delete;
    plain_connection& operator=(const plain_connection&) = delete;
    ~plain_connection() { PQfinish(handle_); }

    void execute(const std::string& sql) { check(PQexec(handle_, sql.c_str())); }

    void prepare(const char* name, const std::string& sql) {
        check(PQprepare(handle_, name, sql.c_str(), 0, nullptr));
    }

    /// Values as text, except for @p data, which is the last one if it is not empty. The answer is binary.
    /// Returns the values in it, one behind the other.
    std::string run(const char* name, const std::vector<std::string>& values, std::string_view data = {}) {
        std::vector<const char*> pointers;
        for (const auto& value : values)
            pointers.push_back(value.c_str());
        std::vector<int> lengths(values.size(), 0);
        std::vector<int> formats(values.size(), 0);
        if (!data.empty()) {
            pointers.push_back(data.data());
            lengths.push_back(static_cast<int>(data.size()));
            formats.push_back(1);
        }
        return check(PQexecPrepared(handle_, name, static_cast<int>(pointers.size()), pointers.data(),
                                    lengths.data(), formats.data(), 1));
    }

private:
    std::string check(PGresult* answer) {
        const auto status = PQresultStatus(answer);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) stop(PQresultErrorMessage(answer));
        std::string values;
        for (int row = 0; row < PQntuples(answer); ++row)
            for (int column = 0; column < PQnfields(answer); ++column)
                values.append(PQgetvalue(answer, row, column),
                              static_cast<std::size_t>(PQgetlength(answer, row, column)));
        PQclear(answer);
        return values;
    }

    PGconn* handle_;
};

/// The same tables, for the plain sides.
void make_plain_schema(const settings& given) {
    plain_connection on(given.dsn, given.schema);
    on.execute("drop schema if exists plain cascade; create schema plain");
    for (const std::string table : {"state", "image", "body"})
        on.execute("create table plain." + table + " (like " + table + " including all)");
    on.execute("alter table plain.state set (fillfactor = 10)");
    on.execute("insert into plain.state select * from state");
}

/// An image as values of the two statements below.
struct plain_picture {
    std::vector<std::string> record;
    std::string id;
    std::string bytes;
};

plain_picture plain(picture from) {
    const auto& record = from.record;
    plain_picture to;
    to.id = to_string(random_uuid());
    const std::string size = std::to_string(record.original.size);
    const std::string digest = "\\x" + hex_encode({reinterpret_cast<const char*>(record.original.etag.data()),
                                                   record.original.etag.size()});
    to.record = {to_string(record.tenant.value),
                 record.key,
                 to_string(record.id.value),
                 record.title,
                 record.file_name,
                 "0",
                 "f",
                 record.public_key,
                 std::to_string(record.created_time),
                 "0",
                 "{}",
                 "image/png",
                 "100",
                 "100",
                 size,
                 digest,
                 "image/png",
                 "100",
                 "100",
                 size,
                 digest,
                 "t",
                 "1",
                 "1",
                 to.id};
    to.bytes = std::move(from.bytes);
    return to;
}

/// Every image in a transaction of its own, by as many threads. Returns writes a second.
class plain_writers {
public:
    plain_writers(const settings& given, unsigned count, bool locks) : locks_(locks) {
        std::string values = "$1";
        for (int i = 2; i <= 25; ++i)
            values += ", $" + std::to_string(i);
        for (unsigned i = 0; i < count; ++i) {
            connections_.push_back(std::make_unique<plain_connection>(given.dsn, "plain"));
            auto& one = *connections_.back();
            one.prepare("begin", "begin");
            one.prepare("commit", "commit");
            one.prepare("lock", "select revision from state for update");
            one.prepare("advance", "update state set revision = revision + 1");
            one.prepare("record", "insert into image (" + columns + ") values (" + values + ")");
            one.prepare("body", "insert into body (id, part, seq, data) values ($1, 0, $2, $3)");
        }
    }

    double save(std::vector<picture> pictures) {
        std::vector<plain_picture> all;
        for (auto& one : pictures)
            all.push_back(plain(std::move(one)));
        std::atomic<std::size_t> next = 0;
        const auto begin = steady::now();
        {
            std::vector<std::jthread> threads;
            for (auto& one : connections_)
                threads.emplace_back([&] {
                    for (std::size_t i = next++; i < all.size(); i = next++)
                        save_one(*one, all[i]);
                });
        }
        return static_cast<double>(all.size()) * 1e6 / micros_since(begin);
    }

private:
    void save_one(plain_connection& on, const plain_picture& what) const {
        on.run("begin", {});
        if (locks_) on.run("lock", {});
        for (std::size_t from = 0; from < what.bytes.size(); from += chunk_size)
            on.run("body", {what.id, std::to_string(from / chunk_size)},
                   std::string_view(what.bytes).substr(from, chunk_size));
        on.run("record", what.record);
        if (locks_) on.run("advance", {});
        on.run("commit", {});
    }

    bool locks_;
    std::vector<std::unique_ptr<plain_connection>> connections_;
};

// ---- the cases -------------------------------------------------------------------------------------------

json::object two_sides(double engine, double other) {
    return {{"engine", engine}, {"other", other}};
}

/// @p strict: the record is asked for as well, as a request does that demands the newest; otherwise it is
/// taken from the catalog, as the other requests do.
task<void> find_and_read(image_store& store, std::vector<std::string>& keys, unsigned count, bool strict,
                         std::vector<double>& micros) {
    for (unsigned i = 0; i < count; ++i) {
        const auto& key = keys[i % keys.size()];
        const auto begin = steady::now();
        auto known = store.find_now(owner, key);
        if (!known) stop("a record is not in the catalog");
        auto found = std::move(*known);
        if (strict) found = must(co_await store.find(owner, key));
        const auto content = must(co_await store.read(std::move(found), representation::original));
        micros.push_back(micros_since(begin));
        if (content.size() != 100'000) stop("a body has another size");
    }
}

json::object read_case(const settings& given) {
    auto store = open_postgresql(given, "node", "0");
    auto pictures = make_many("read-" + to_string(random_uuid()), 64, 100'000);
    std::vector<std::string> keys;
    for (const auto& one : pictures)
        keys.push_back(one.record.key);
    save_many(store->images(), std::move(pictures), 8);

    plain_connection other(given.dsn, given.schema);
    other.prepare("record", "select " + columns + " from image where tenant = $1 and key = $2");
    other.prepare("body", "select data from body where id = $1 and part = 0 order by seq");
    // The ids, so that the second query is given what the first one found.
    std::map<std::string, std::string> bodies;
    for (const auto& key : keys)
        bodies[key] = {};
    {
        PGconn* ask = PQconnectdb(given.dsn.c_str());
        PGresult* rows = PQexec(ask, ("select key, body from \"" + given.schema + "\".image").c_str());
        for (int i = 0; i < PQntuples(rows); ++i)
            if (const auto found = bodies.find(PQgetvalue(rows, i, 0)); found != bodies.end())
                found->second = PQgetvalue(rows, i, 1);
        PQclear(rows);
        PQfinish(ask);
    }
    const auto tenant = to_string(owner.value);
    json::array turns;
    json::array strict_turns;
    for (unsigned turn = 0; turn <= given.turns; ++turn) {
        std::vector<double> engine;
        run(find_and_read(store->images(), keys, given.count, false, engine));
        std::vector<double> strict;
        run(find_and_read(store->images(), keys, given.count, true, strict));
        std::vector<double> queries;
        for (unsigned i = 0; i < given.count; ++i) {
            const auto& key = keys[i % keys.size()];
            const auto begin = steady::now();
            other.run("record", {tenant, key});
            const auto content = other.run("body", {bodies[key]});
            queries.push_back(micros_since(begin));
            if (content.size() != 100'000) stop("a body has another size");
        }
        // The first turn fills the database's memory.
        if (turn == 0) continue;
        const auto plain = at_percent(queries, 50);
        turns.push_back(two_sides(at_percent(engine, 50), plain));
        strict_turns.push_back(two_sides(at_percent(strict, 50), plain));
    }
    return {{"turns", turns}, {"strict", strict_turns}};
}

json::object write_case(const settings& given, unsigned writers, std::size_t size, bool locks) {
    auto store = open_postgresql(given, "node");
    make_plain_schema(given);
    plain_writers other(given, writers, locks);
    json::array turns;
    for (unsigned turn = 0; turn < given.turns; ++turn) {
        auto ours = make_many("write-" + to_string(random_uuid()), given.count, size);
        auto theirs = make_many("write-" + to_string(random_uuid()), given.count, size);
        const auto engine = save_many(store->images(), std::move(ours), writers);
        turns.push_back(two_sides(engine, other.save(std::move(theirs))));
    }
    return {{"turns", turns}};
}

/// What another node sees of the writes of the first.
struct watcher {
    change_feed& feed;
    asio::steady_timer wake{io(), steady::time_point::max()};
    std::map<revision, steady::time_point> acknowledged;
    std::map<revision, steady::time_point> seen;
    revision after = 0;
    bool hinted = false;
    bool stopping = false;
};

task<void> watch(watcher& it) {
    boost::system::error_code ignored;
    while (!it.stopping) {
        it.hinted = false;
        const auto batch = must(co_await it.feed.changes(it.after, 1000));
        const auto now = steady::now();
        for (const auto& one : batch.changes)
            it.seen.emplace(one.rev, now);
        it.after = batch.next;
        if (it.hinted || it.stopping) continue;
        it.wake.expires_at(steady::time_point::max());
        co_await it.wake.async_wait(asio::redirect_error(use_task, ignored));
    }
}

task<void> write_slowly(image_store& store, std::vector<picture>& pictures, watcher& it) {
    boost::system::error_code ignored;
    asio::steady_timer pause(io());
    revision last = 0;
    for (auto& one : pictures) {
        body content = bytes::own(std::move(one.bytes));
        body none;
        const auto saved =
            must(co_await store.save(one.record, std::move(content), std::move(none), precondition::any()));
        last = saved.rev;
        it.acknowledged.emplace(last, steady::now());
        pause.expires_after(std::chrono::milliseconds(5));
        co_await pause.async_wait(asio::redirect_error(use_task, ignored));
    }
    for (int i = 0; i < 1000 && it.after < last; ++i) {
        pause.expires_after(std::chrono::milliseconds(10));
        co_await pause.async_wait(asio::redirect_error(use_task, ignored));
    }
    it.stopping = true;
    it.wake.cancel();
}

json::object visible_case(const settings& given) {
    auto writer = open_postgresql(given, "node");
    auto reader = open_postgresql(given, "node2");
    auto pictures = make_many("visible-" + to_string(random_uuid()), given.turns * given.count, 2'000);
    watcher it{reader->feed()};
    reader->feed().on_change([&it] {
        asio::post(io(), [&it] {
            it.hinted = true;
            it.wake.cancel();
        });
    });
    auto start = [&]() -> task<void> { it.after = must(co_await reader->feed().last()); };
    run(start());
    std::vector<task<void>> both;
    both.push_back(watch(it));
    both.push_back(write_slowly(writer->images(), pictures, it));
    run(std::move(both));
    std::vector<double> late;
    for (const auto& [rev, at] : it.acknowledged) {
        const auto seen = it.seen.find(rev);
        if (seen == it.seen.end()) stop("a write does not reach the other node");
        late.push_back(std::max(0.0, std::chrono::duration<double, std::micro>(seen->second - at).count()));
    }
    reader->feed().on_change([] {});
    return {{"p50", at_percent(late, 50)},
            {"p99", at_percent(late, 99)},
            {"max", late.back()},
            {"writes", late.size()}};
}

/// The bytes of a record that postgresql.py made.
std::string bytes_of(const image_record& record) {
    const auto number = std::to_string(std::stoull(record.key.substr(record.key.find('-') + 1)));
    std::string content;
    while (content.size() < record.original.size)
        content += number;
    return content;
}

task<void> copy_all(image_store& from, image_store& to, std::uint64_t& copied) {
    std::string cursor;
    do {
        auto page = must(co_await from.scan(owner, cursor, 10'000));
        cursor = page.cursor;
        std::size_t next = 0;
        const auto writers = std::min<std::size_t>(64, page.items.size());
        std::size_t running = writers;
        asio::steady_timer done(io(), steady::time_point::max());
        auto work = [&]() -> task<void> {
            while (next < page.items.size()) {
                const auto& record = *page.items[next++];
                body content = bytes::own(bytes_of(record));
                body none;
                must(co_await to.save(record, std::move(content), std::move(none), precondition::any()));
                ++copied;
            }
            if (--running == 0) done.cancel();
        };
        for (std::size_t i = 0; i < writers; ++i)
            asio::co_spawn(io(), work(), [](std::exception_ptr thrown) {
                if (thrown) stop("an exception crossed the contract");
            });
        boost::system::error_code ignored;
        if (writers > 0) co_await done.async_wait(asio::redirect_error(use_task, ignored));
    } while (!cursor.empty());
}

json::object fill_case(const settings& given) {
    auto from = open_postgresql(given, "node");
    auto to = open_rocksdb(given);
    std::uint64_t copied = 0;
    run(copy_all(from->images(), to->images(), copied));
    return {{"records", copied}};
}

struct listing {
    image_sort sort;
    const char* name;
};

constexpr listing sorts[] = {{image_sort::created_time, "createdTime"},   {image_sort::title, "title"},
                             {image_sort::resource_key, "resourceKey"},   {image_sort::size, "size"},
                             {image_sort::resource_type, "resourceType"}, {image_sort::tenant, "tenant"}};

task<void> ask_pages(image_store& store, image_query query, std::vector<std::uint64_t> pages,
                     std::vector<double>& micros) {
    for (const auto page : pages) {
        query.page = page;
        const auto begin = steady::now();
        const auto found = must(co_await store.list(query));
        micros.push_back(micros_since(begin));
        if (found.images.empty()) stop("a page is empty");
    }
}

json::object lists_case(const settings& given) {
    auto ours = open_postgresql(given, "node");
    auto other = open_rocksdb(given);
    std::uint64_t total = 0;
    image_query query;
    query.tenant = owner;
    query.page_size = page_size;
    auto count = [&]() -> task<void> {
        total = must(co_await ours->images().list(query)).total;
        if (must(co_await other->images().list(query)).total != total) stop("the stores differ");
    };
    run(count());
    const auto last = (total - 1) / page_size;
    json::array rows;
    for (const auto& by : sorts)
        for (const bool descending : {false, true}) {
            query.sort = by.sort;
            query.descending = descending;
            for (const std::string place : {"first", "middle", "last", "anywhere"}) {
                json::array turns;
                for (unsigned turn = 0; turn <= given.turns; ++turn) {
                    std::vector<std::uint64_t> pages;
                    for (unsigned i = 0; i < given.count; ++i)
                        pages.push_back(place == "first"    ? 0
                                        : place == "middle" ? last / 2
                                        : place == "last"   ? last
                                                            : dice() % (last + 1));
                    std::vector<double> engine;
                    std::vector<double> rocksdb;
                    run(ask_pages(ours->images(), query, pages, engine));
                    run(ask_pages(other->images(), query, pages, rocksdb));
                    if (turn > 0) turns.push_back(two_sides(at_percent(engine, 50), at_percent(rocksdb, 50)));
                }
                rows.push_back(json::object{{"sort", by.name},
                                            {"order", descending ? "DESC" : "ASC"},
                                            {"page", place},
                                            {"turns", turns}});
            }
        }
    return {{"records", total}, {"rows", rows}};
}

std::uint64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    file >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

json::object open_case(const settings& given) {
    const auto before = resident_bytes();
    const auto begin = steady::now();
    auto store = given.rocksdb.empty() ? open_postgresql(given, "node") : open_rocksdb(given);
    const auto opened = micros_since(begin) / 1000;
    const auto after = resident_bytes();
    std::uint64_t records = 0;
    auto count = [&]() -> task<void> {
        image_query query;
        query.tenant = owner;
        query.page_size = 1;
        records = must(co_await store->images().list(query)).total;
    };
    run(count());
    return {{"milliseconds", opened}, {"bytes", after - before}, {"records", records}};
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    settings given;
    for (int i = 2; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const std::string value = argv[i + 1];
        if (name == "--postgresql")
            given.postgresql = value;
        else if (name == "--rocksdb")
            given.rocksdb = value;
        else if (name == "--dsn")
            given.dsn = value;
        else if (name == "--schema")
            given.schema = value;
        else if (name == "--folder")
            given.folder = value;
        else if (name == "--turns")
            given.turns = static_cast<unsigned>(std::stoul(value));
        else if (name == "--count")
            given.count = static_cast<unsigned>(std::stoul(value));
        else
            stop("unknown option " + name);
    }
    if (given.folder.empty()) stop("--folder is required");
    json::object found;
    if (what == "read")
        found = read_case(given);
    else if (what == "write")
        found = write_case(given, 16, 2'000, true);
    else if (what == "upload")
        found = write_case(given, 4, 1 << 20, false);
    else if (what == "visible")
        found = visible_case(given);
    else if (what == "fill")
        found = fill_case(given);
    else if (what == "lists")
        found = lists_case(given);
    else if (what == "open")
        found = open_case(given);
    else
        stop("unknown case " + what);
    std::printf("%s\n", json::serialize(found).c_str());
}
