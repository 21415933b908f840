// SPDX-License-Identifier: Apache-2.0
#include "app/node_registry.hpp"

#include "app/active_storage.hpp"
#include "app/data_folder.hpp"
#include "mirror/superseded.hpp"

#include <gallery/uuid.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <tuple>
#include <utility>

namespace gallery::app {

namespace {

namespace json = boost::json;

constexpr const char* node_kind = "node";

/// Three announcements in a row did not come.
constexpr std::int64_t missing_after_ms = std::chrono::milliseconds(3 * announcement_interval).count();
constexpr std::int64_t forgotten_after_ms = std::chrono::milliseconds(std::chrono::hours(24)).count();

document to_document(const api::node& of) {
    json::object members;
    members["address"] = of.address;
    members["version"] = of.version;
    members["startedTime"] = of.started_time;
    members["lastSeenTime"] = of.last_seen_time;
    document out;
    out.kind = node_kind;
    out.id = of.id;
    out.body = json::serialize(members);
    return out;
}

/// What a later version wrote in another form is left out.
std::optional<api::node> from_document(const document& doc) {
    json::error_code failed;
    const auto value = json::parse(doc.body, failed);
    const auto* members = failed ? nullptr : value.if_object();
    if (members == nullptr) return std::nullopt;
    const auto text = [&](const char* name) {
        const auto* found = members->if_contains(name);
        return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
    };
    const auto time = [&](const char* name) {
        const auto* found = members->if_contains(name);
        return found != nullptr && found->is_int64() ? found->get_int64() : 0;
    };
    api::node out;
    out.id = doc.id;
    out.address = text("address");
    out.version = text("version");
    out.started_time = time("startedTime");
    out.last_seen_time = time("lastSeenTime");
    return out;
}

}  // namespace

bool announcement::is_recent(std::int64_t now) const {
    return node.last_seen_time + missing_after_ms >= now;
}

std::chrono::milliseconds missing_after() noexcept {
    return std::chrono::milliseconds(missing_after_ms);
}

task<result<std::optional<announcement>>> find_announcement(document_store& on, std::string id) {
    std::string kind = node_kind;
    const auto found = co_await on.find(std::move(kind), std::move(id));
    if (!found) {
        if (found.error().code == errc::not_found) co_return std::optional<announcement>();
        co_return found.error();
    }
    announcement out;
    out.rev = found->rev;
    if (auto node = from_document(*found)) out.node = std::move(*node);
    co_return std::optional<announcement>(std::move(out));
}

document_write require_silence(const std::string& id, const std::optional<announcement>& last) {
    return document_write::require(node_kind, id,
                                   last ? precondition::match(last->rev) : precondition::absent());
}

result<std::string> load_or_create_node_id(const std::string& folder) {
    const auto path = std::filesystem::path(folder) / node_id_file;
    {
        std::ifstream in(path);
        std::string text;
        if (std::getline(in, text) && parse_uuid(text)) return text;
    }
    const auto id = to_string(random_uuid());
    std::ofstream out(path, std::ios::trunc);
    out << id << '\n';
    out.flush();
    if (!out) return error{errc::io_error, "cannot write the id of this server to " + path.string()};
    return id;
}

node_registry::node_registry(document_store& store, std::function<bool()> is_shared, api::node self,
                             std::function<std::int64_t()> now)
    : store_(store),
      is_shared_(std::move(is_shared)),
      id_(self.id),
      now_(std::move(now)),
      self_(std::move(self)) {
    self_.started_time = now_();
    self_.is_self = true;
    self_.is_up = true;
}

void node_registry::set_address(std::string address) {
    const lock_guard lock(mutex_);
    self_.address = std::move(address);
}

api::node node_registry::self() const {
    const auto now = now_();
    const lock_guard lock(mutex_);
    auto out = self_;
    out.last_seen_time = now;
    return out;
}

task<result<void>> node_registry::announce() {
    if (!is_shared_()) co_return result<void>();
    std::vector<document_write> parts;
    parts.push_back(document_write::save(to_document(self()), precondition::any()));
    parts.push_back(mirror::require_current());
    const auto written = co_await store_.write(std::move(parts));
    if (!written) co_return written.error();
    if (written->status == write_status::committed) {
        // So that it is known how long each of them has been silent.
        const auto seen = co_await others();
        co_return seen ? result<void>() : result<void>(seen.error());
    }
    const auto by = co_await mirror::find_successor(store_);
    if (!by) co_return by.error();
    if (!by->has_value()) co_return error{errc::unavailable, "a switch of the store was given up just now"};
    // The claim of this server's own switch keeps only others away.
    if ((*by)->node == id_) co_return co_await join(store_);
    co_return not_current(**by);
}

task<result<void>> node_registry::join(document_store& on) const {
    auto doc = to_document(self());
    const auto written = co_await on.save(std::move(doc), precondition::any());
    if (!written) co_return written.error();
    co_return result<void>();
}

task<result<void>> node_registry::leave(document_store& on) const {
    const auto erased = co_await on.erase(node_kind, id_, precondition::any());
    if (!erased) co_return erased.error();
    co_return result<void>();
}

task<result<void>> node_registry::withdraw() {
    if (!is_shared_()) co_return result<void>();
    co_return co_await leave(store_);
}

task<result<std::vector<api::node>>> node_registry::read(document_store& on) const {
    std::vector<api::node> all;
    const auto now = now_();
    std::string cursor;
    do {
        auto page = co_await on.scan(node_kind, std::move(cursor), 100);
        if (!page) co_return page.error();
        for (const auto& doc : page->items) {
            auto one = from_document(doc);
            if (!one || one->last_seen_time + forgotten_after_ms < now) continue;
            one->is_self = one->id == id_;
            one->is_up = one->is_self || announcement{*one, doc.rev}.is_recent(now);
            all.push_back(std::move(*one));
        }
        cursor = std::move(page->cursor);
    } while (!cursor.empty());
    std::sort(all.begin(), all.end(), [](const api::node& a, const api::node& b) {
        return std::tie(a.address, a.id) < std::tie(b.address, b.id);
    });
    co_return all;
}

task<result<std::vector<api::node>>> node_registry::list() {
    if (is_shared_()) co_return co_await read(store_);
    std::vector<api::node> all;
    all.push_back(self());
    co_return all;
}

bool node_registry::is_silent(const api::node& of) {
    const auto now = now_();
    const lock_guard lock(mutex_);
    auto& known = observed_[of.id];
    if (known.announced != of.last_seen_time) known = {of.last_seen_time, now};
    return now - known.seen_at > missing_after_ms;
}

task<result<std::vector<api::node>>> node_registry::others() {
    auto all = co_await read(store_);
    if (!all) co_return all;
    std::erase_if(*all, [this](const api::node& one) {
        const bool is_silent_here = is_silent(one);
        return one.is_self || (!one.is_up && is_silent_here);
    });
    co_return all;
}

task<result<std::vector<api::node>>> node_registry::others(document_store& on) const {
    auto all = co_await read(on);
    if (!all) co_return all;
    std::erase_if(*all, [](const api::node& one) { return one.is_self || !one.is_up; });
    co_return all;
}

task<result<void>> node_registry::forget_missing() {
    if (!is_shared_()) co_return result<void>();
    const auto now = now_();
    auto page = co_await store_.scan(node_kind, "", 1000);
    if (!page) co_return page.error();
    for (const auto& doc : page->items) {
        const auto one = from_document(doc);
        if (!one || one->last_seen_time + forgotten_after_ms >= now) continue;
        const auto erased = co_await store_.erase(node_kind, doc.id, precondition::match(doc.rev));
        if (!erased) co_return erased.error();
    }
    co_return result<void>();
}

}  // namespace gallery::app
