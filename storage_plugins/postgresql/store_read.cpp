// SPDX-License-Identifier: Apache-2.0
// Reading: records, lists and documents from the mirror, once it contains what was acknowledged before the
// call; bytes from the database.
#include "store.hpp"

#include <gallery/kit/matcher.hpp>
#include <gallery/kit/rules.hpp>

namespace gallery::postgres {
namespace {

/// More than this is searched or collected on a worker.
constexpr std::size_t search_at_once = 20'000;
constexpr std::size_t records_at_once = 1'000;

}  // namespace

task<result<record_ptr>> store::find(tenant_id tenant, std::string key) {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    auto found = mirror_.images().find(tenant, key);
    if (!found) co_return kit::no_such_image(tenant, key);
    co_return std::move(found.record);
}

task<result<record_ptr>> store::find_by_id(image_id id) {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    auto found = mirror_.images().find_by_id(id);
    if (!found) co_return kit::no_such_image(id);
    co_return std::move(found.record);
}

task<result<record_ptr>> store::find_by_public_key(std::string public_key) {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    auto found = mirror_.images().find_by_public_key(public_key);
    if (!found) co_return kit::no_such_public_key(public_key);
    co_return std::move(found.record);
}

task<result<std::vector<record_ptr>>> store::find_by_content(tenant_id tenant, sha256_digest etag) {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    co_return mirror_.images().find_by_content(tenant, etag);
}

std::optional<record_ptr> store::find_now(const tenant_id& tenant, std::string_view key) {
    auto found = mirror_.images().find(tenant, key);
    if (!found) return std::nullopt;
    return std::move(found.record);
}

std::optional<record_ptr> store::find_by_public_key_now(std::string_view public_key) {
    auto found = mirror_.images().find_by_public_key(public_key);
    if (!found) return std::nullopt;
    return std::move(found.record);
}

std::optional<body> store::read_now(const image_record& record, representation which) {
    return bodies_.find(record, which);
}

task<result<body>> store::read(record_ptr record, representation which) {
    if (!record) co_return error{errc::invalid_argument, "A record is needed to read its bytes."};
    co_return co_await on_engine(bodies_.read(std::move(record), which));
}

task<result<body>> store::read_aside(record_ptr record, representation which) {
    if (!record) co_return error{errc::invalid_argument, "A record is needed to read its bytes."};
    co_return co_await on_engine(bodies_.read_aside(std::move(record), which));
}

task<result<void>> store::check_body(record_ptr record, representation which) {
    if (!record) co_return error{errc::invalid_argument, "A record is needed to check its bytes."};
    co_return co_await on_engine(bodies_.check(std::move(record), which));
}

task<result<image_page>> store::list(image_query query) {
    if (auto wrong = kit::refuse_query(query)) co_return std::move(*wrong);
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    const auto& images = mirror_.images();
    if (query.page_size <= records_at_once && images.images_to_search(query) <= search_at_once)
        co_return images.list(query);
    auto work = [&images, query = std::move(query)] { return images.list(query); };
    co_return co_await offload(workers_, std::move(work));
}

task<result<scan_page<record_ptr>>> store::scan(std::optional<tenant_id> tenant, std::string cursor,
                                                std::size_t limit) {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    co_return mirror_.images().scan(tenant, cursor, limit);
}

task<result<tenant_usage>> store::usage(std::optional<tenant_id> tenant) {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    co_return mirror_.usage().usage(tenant);
}

task<result<scan_page<kept_version>>> store::kept(std::optional<tenant_id> tenant, kept_order order,
                                                  std::string cursor, std::size_t limit) {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    co_return mirror_.images().kept(tenant, order, cursor, limit);
}

task<result<scan_page<kept_version>>> store::kept_of(image_id id, std::string cursor, std::size_t limit) {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    co_return mirror_.images().kept_of(id, cursor, limit);
}

task<result<kept_version>> store::find_kept(image_id id, revision content_rev) {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    auto found = mirror_.images().find_kept(id, content_rev);
    if (!found) co_return kit::no_such_version(id, content_rev);
    co_return std::move(found.version);
}

task<result<document>> store::find(std::string kind, std::string id) {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    co_return mirror_.documents().get(kind, id);
}

task<result<scan_page<document>>> store::scan(std::string kind, std::string cursor, std::size_t limit) {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    co_return mirror_.documents().scan(kind, cursor, limit);
}

task<result<change_batch>> store::changes(revision after, std::size_t limit) {
    co_return co_await on_engine(changes_here(after, limit));
}

task<result<change_batch>> store::changes_here(revision after, std::size_t limit) {
    if (limit == 0) co_return kit::bad_limit();
    constexpr auto no_time = std::chrono::steady_clock::time_point::min();
    auto batch = mirror_.changes(after, limit);
    // A batch that ends in the middle of the feed is what it is, whatever others have added to the end.
    const bool ends_early = batch && !batch->gap && batch->horizon == no_time;
    if (ends_early) co_return batch;
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    batch = mirror_.changes(after, limit);
    if (batch && batch->horizon != no_time) batch->horizon = follower_.horizon();
    co_return batch;
}

task<result<revision>> store::last() {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    // Not position(): a new epoch advances that without a change, and no reader of the feed would get there.
    co_return mirror_.newest_change();
}

void store::on_change(std::function<void()> notify) {
    notify_ = std::move(notify);
}

}  // namespace gallery::postgres
