// SPDX-License-Identifier: Apache-2.0
// Comparing the tables with each other and with the mirror.
#include "store.hpp"

#include <gallery/kit/rules.hpp>

namespace gallery::postgres {
namespace {

constexpr std::size_t most_problems = 1'000;
constexpr std::chrono::hours longest{6};

/// Sizes of large values are in their references: the bytes are not read.
constexpr const char* sizes = R"(
with stored as (select id, part, sum(octet_length(data))::int8 as size, count(*)::int8 as chunks,
                       max(seq)::int8 + 1 as places from body group by id, part),
     wanted as (select body, tenant, key, content_rev, 0::int2 as part, original_size as size from image
      union all select body, tenant, key, content_rev, 1::int2, preview_size from image where not preview_is_original
      union all select body, tenant, key, content_rev, 0::int2, original_size from kept
      union all select body, tenant, key, content_rev, 1::int2, preview_size from kept where not preview_is_original)
select w.tenant, w.key, w.content_rev, w.part, coalesce(s.size, 0), w.size
from wanted w left join stored s on s.id = w.body and s.part = w.part
where coalesce(s.size, 0) <> w.size or s.chunks <> s.places limit 1000)";

constexpr const char* unused = R"(
select distinct id from body b where not exists (select 1 from image where body = b.id)
and not exists (select 1 from kept where body = b.id) and not exists (select 1 from staged where body = b.id) limit 100)";

constexpr const char* feed_state = R"(
select s.revision, s.trimmed, coalesce(max(c.rev), 0), count(c.rev) from state s left join change c on true
group by s.revision, s.trimmed)";

constexpr const char* all_revisions = R"(
select 0::int2, id, content_rev, rev from image union all select 1::int2, id, content_rev, kept_rev from kept)";

std::string name_of_row(const answer& from, std::size_t which, int row) {
    return kit::describe(tenant_id{uuid_of(from.at(which, row, 0))}, text_of(from.at(which, row, 1)));
}

}  // namespace

task<result<check_report>> store::check() {
    co_return co_await on_engine(check_here());
}

task<result<check_report>> store::check_here() {
    auto newest = co_await follower_.barrier();
    if (!newest) co_return newest.error();
    batch look;
    look.add(statement::begin_snapshot);
    const auto sizes_at = look.add(std::string(sizes));
    const auto unused_at = look.add(std::string(unused));
    const auto state_at = look.add(std::string(feed_state));
    const auto revisions_at = look.add(std::string(all_revisions));
    const auto documents_at = look.add(std::string("select kind, id, rev from document"));
    look.add(statement::commit);
    auto found = co_await pool_.run(std::move(look), longest);
    if (found.failed) co_return to_error(*found.failed, "checking the store");

    check_report report;
    const auto problem = [&report](std::string text) {
        if (report.problems.size() < most_problems) report.problems.push_back(std::move(text));
    };
    for (int i = 0; i < found.rows(sizes_at); ++i)
        problem(std::string(int_of(found.at(sizes_at, i, 3)) == 0 ? "The original of the "
                                                                  : "The preview of the ") +
                name_of_row(found, sizes_at, i) + " (revision " +
                std::to_string(int_of(found.at(sizes_at, i, 2))) + ") has " +
                std::to_string(int_of(found.at(sizes_at, i, 4))) + " bytes in the database instead of " +
                std::to_string(int_of(found.at(sizes_at, i, 5))) +
                "; restore it from a backup, or upload it again.");
    const auto at = count_of(found.at(state_at, 0, 0));
    const auto newest_change = count_of(found.at(state_at, 0, 2));
    if (newest_change > at)
        problem("The feed has the revision " + std::to_string(newest_change) + ", but the store ends with " +
                std::to_string(at) + "; restore the store from a backup.");
    for (int i = 0; i < found.rows(unused_at); ++i)
        problem("The bytes " + to_string(uuid_of(found.at(unused_at, i, 0))) +
                " belong to no image; they take space and do no other harm.");

    // The mirror is compared where nothing was written meanwhile.
    auto same = co_await follower_.barrier();
    if (!same) co_return same.error();
    const bool comparable = mirror_.position() == at;
    const auto& images = mirror_.images();
    for (int i = 0; i < found.rows(revisions_at); ++i) {
        const bool is_kept = int_of(found.at(revisions_at, i, 0)) != 0;
        (is_kept ? report.kept_versions : report.records) += 1;
        if (!comparable) continue;
        const image_id id{uuid_of(found.at(revisions_at, i, 1))};
        const auto content_rev = count_of(found.at(revisions_at, i, 2));
        const auto rev = count_of(found.at(revisions_at, i, 3));
        const auto known = is_kept ? images.find_kept(id, content_rev).version.kept_rev : [&] {
            const auto current = images.find_by_id(id);
            return current ? current.record->rev : 0;
        }();
        if (known != rev)
            problem("The image " + to_string(id) + " has revision " + std::to_string(rev) +
                    " in the database and " + std::to_string(known) + " in memory; restart the server.");
    }
    report.documents = static_cast<std::uint64_t>(found.rows(documents_at));
    report.index_entries = images.verify(report.problems);
    if (comparable) {
        for (int i = 0; i < found.rows(documents_at); ++i)
            if (mirror_.documents().find_revision(found.at(documents_at, i, 0).view(),
                                                  found.at(documents_at, i, 1).view()) !=
                count_of(found.at(documents_at, i, 2)))
                problem("The document " + text_of(found.at(documents_at, i, 0)) + "/" +
                        text_of(found.at(documents_at, i, 1)) + " differs in memory; restart the server.");
        if (images.size() != report.records || images.kept_size() != report.kept_versions ||
            mirror_.documents().size() != report.documents)
            problem("The database has " + std::to_string(report.records) + " images, " +
                    std::to_string(report.kept_versions) + " kept versions and " +
                    std::to_string(report.documents) +
                    " documents, and the memory of this server other numbers; restart the server.");
    }
    if (images.count_usage(std::nullopt) != mirror_.usage().usage(std::nullopt))
        problem("The usage of all tenants is not the sum over their images; restart the server.");
    for (const auto& tenant : images.tenants())
        if (images.count_usage(tenant) != mirror_.usage().usage(tenant))
            problem("The usage of tenant " + to_string(tenant) +
                    " is not the sum over its images; restart the server.");
    co_return report;
}

}  // namespace gallery::postgres
