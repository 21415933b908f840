// SPDX-License-Identifier: Apache-2.0
#include "plugins/probe_steps.hpp"

#include <gallery/clock.hpp>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace gallery::plugins {

namespace {

/// A probe of another server that began earlier than this was killed; a probe may take a minute.
constexpr std::int64_t killed_after_ms = 3'600'000;

/// The tenant of all probes of earlier versions of the server.
const uuid earlier_tenant{0x67, 0x61, 0x6c, 0x6c, 0x65, 0x72, 0x40, 0x79,
                          0x80, 0x70, 0x72, 0x6f, 0x62, 0x65, 0x00, 0x01};

/// Another server may be running its probe at this moment.
bool is_killed(const document& doc) {
    std::int64_t begun = 0;
    const auto* const end = doc.body.data() + doc.body.size();
    const auto read = std::from_chars(doc.body.data(), end, begun);
    return read.ec != std::errc() || begun + killed_after_ms < now_ms();
}

task<result<void>> remove_images(image_store& images, tenant_id of) {
    const std::string step = "removing the remains of an earlier probe";
    // Each page is read from the beginning, because the entries of the previous one were removed.
    for (int round = 0; round < 100; ++round) {
        std::optional<tenant_id> whose = of;
        std::string cursor;
        auto page = co_await images.scan(whose, cursor, 100);
        if (!page) co_return step_failed(step, page.error());
        if (page->items.empty()) break;
        for (const auto& record : page->items) {
            auto condition = precondition::any();
            std::string key = record->key;
            const auto erased = co_await images.erase(of, std::move(key), condition);
            if (!erased) co_return step_failed(step, erased.error());
        }
    }
    for (int round = 0; round < 100; ++round) {
        std::optional<tenant_id> whose = of;
        std::string cursor;
        auto page = co_await images.kept(whose, kept_order::oldest_first, cursor, 100);
        if (!page) co_return step_failed(step, page.error());
        if (page->items.empty()) break;
        for (const auto& version : page->items) {
            const auto dropped = co_await images.drop_kept(version.record->id, version.record->content_rev);
            if (!dropped) co_return step_failed(step, dropped.error());
        }
    }
    co_return result<void>();
}

}  // namespace

task<result<void>> remove_probe_leftovers(storage_engine& engine, bool shared) {
    auto& images = engine.images();
    auto& documents = engine.documents();
    const std::string step = "removing the remains of an earlier probe";
    std::string kind = probe_kind;
    const auto begun = co_await documents.scan(std::move(kind), "", 1000);
    if (!begun) co_return step_failed(step, begun.error());
    for (const auto& doc : begun->items) {
        if (shared && !is_killed(doc)) continue;
        auto removed = co_await remove_images(images, tenant_id{parse_uuid(doc.id).value_or(earlier_tenant)});
        if (!removed) co_return removed;
        std::string id = doc.id;
        kind = probe_kind;
        const auto erased = co_await documents.erase(std::move(kind), std::move(id), precondition::any());
        if (!erased) co_return step_failed(step, erased.error());
    }
    co_return result<void>();
}

}  // namespace gallery::plugins
