// SPDX-License-Identifier: Apache-2.0
#include "mirror/starts.hpp"

#include "mirror/identity.hpp"
#include "mirror/json_members.hpp"

#include <gallery/uuid.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace gallery::mirror {

namespace {

namespace json = boost::json;

constexpr const char* starts_id = "starts";
constexpr int max_start_attempts = 100;

/// Each start is [id, revision], because there may be many.
std::string to_json(const std::vector<store_start>& starts) {
    json::array list;
    for (const auto& one : starts) {
        json::array pair;
        pair.emplace_back(one.id);
        pair.emplace_back(static_cast<std::int64_t>(one.found));
        list.push_back(std::move(pair));
    }
    json::object out;
    out["starts"] = std::move(list);
    return json::serialize(out);
}

std::optional<store_start> parse_start(const json::value& from) {
    const auto* pair = from.if_array();
    if (pair == nullptr || pair->size() != 2) return std::nullopt;
    const auto* id = (*pair)[0].if_string();
    const auto* found = (*pair)[1].if_int64();
    if (id == nullptr || found == nullptr || *found < 0) return std::nullopt;
    return store_start{std::string(*id), static_cast<revision>(*found)};
}

std::optional<std::vector<store_start>> parse_starts(std::string_view text) {
    const auto members = object_in(text);
    const auto* list = members ? members->if_contains("starts") : nullptr;
    if (list == nullptr || !list->is_array()) return std::nullopt;
    std::vector<store_start> out;
    for (const auto& each : list->get_array()) {
        auto one = parse_start(each);
        if (!one) return std::nullopt;
        out.push_back(std::move(*one));
    }
    return out;
}

}  // namespace

task<result<std::vector<store_start>>> find_starts(document_store& store) {
    std::string kind(identity_kind);
    const auto known = co_await store.find(std::move(kind), starts_id);
    if (!known) {
        if (known.error().code == errc::not_found) co_return std::vector<store_start>();
        co_return known.error();
    }
    auto starts = parse_starts(known->body);
    if (!starts) {
        co_return error{errc::corrupt,
                        "the document store/starts, which lists the starts of servers on the store, cannot "
                        "be read. The next start of a server writes it anew"};
    }
    co_return std::move(*starts);
}

task<result<void>> add_start(document_store& store, revision found) {
    const store_start mine{to_string(random_uuid()), found};
    for (int i = 0; i < max_start_attempts; ++i) {
        std::string kind(identity_kind);
        const auto known = co_await store.find(std::move(kind), starts_id);
        if (!known && known.error().code != errc::not_found) co_return known.error();
        auto listed = known ? parse_starts(known->body) : std::nullopt;
        auto starts = listed ? std::move(*listed) : std::vector<store_start>();
        starts.push_back(mine);
        if (starts.size() > max_starts) {
            const auto surplus = static_cast<std::ptrdiff_t>(starts.size() - max_starts);
            starts.erase(starts.begin(), starts.begin() + surplus);
        }
        document next;
        next.kind = identity_kind;
        next.id = starts_id;
        next.body = to_json(starts);
        const auto condition = known ? precondition::match(known->rev) : precondition::absent();
        const auto saved = co_await store.save(std::move(next), condition);
        if (!saved) co_return saved.error();
        if (saved->status == write_status::committed) co_return result<void>();
    }
    co_return error{errc::version_conflict, "other servers write the document store/starts all the time"};
}

bool has_history(const std::vector<store_start>& starts, revision newest, std::string_view start,
                 revision position) {
    if (position > newest) return false;
    if (start.empty()) return true;
    const auto noted = std::find_if(starts.begin(), starts.end(),
                                    [start](const store_start& one) { return one.id == start; });
    if (noted == starts.end()) return false;
    const auto next = std::next(noted);
    return next == starts.end() || position <= next->found;
}

}  // namespace gallery::mirror
