// SPDX-License-Identifier: Apache-2.0
#include "api/image_bytes.hpp"

#include "api/image_access.hpp"
#include "api/image_key.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace gallery::api {
namespace {

using images::image_view_permit;
using needs = image_plan::needs;

void set_content(http::response& out, body content, const http::byte_range& range) {
    if (range.length == content.size()) {
        out.set_content(std::move(content));
    } else {
        out.set_content(content.slice(range.first, range.length));
    }
}

/// The record, if the storage has it in memory and nothing newer has to be asked for.
std::optional<record_ptr> record_now(const image_bytes_services& services, const image_request& asked) {
    if (asked.is_public_link()) return services.images.find_public_now(asked.name);
    return services.images.find_now(*asked.may, asked.name);
}

/// Answers from the etag cache and from what the storage has in memory; false where that is not enough.
bool answer_from_memory(const image_bytes_services& services, const image_request& asked,
                        const http::request& message, http::response& out) {
    known_image known;
    if (const auto entry = image_answers::cached(services.etags, message, asked)) {
        known.cached = &*entry;
        if (services.answers.plan(message, asked, known, out).next == needs::nothing) return true;
        known.cached = nullptr;
    }

    const auto ticket = services.etags.begin_fill(asked.etag_key());
    const auto found = record_now(services, asked);
    if (!found) return false;
    known.record = found->get();
    const auto plan = services.answers.plan(message, asked, known, out);
    if (plan.next == needs::coded_body) return false;
    // A client without a condition has no etag yet. Its next request has one, and fills the cache.
    if (services.etags.enabled() && message.has(http::field::if_none_match)) {
        image_answers::remember(services.etags, ticket, asked, known, plan.coding,
                                cache::etag_cache::coarse_now());
    }
    if (plan.next == needs::nothing) return true;
    auto content = services.images.read_now(*known.record, asked.which);
    if (!content) {
        out.reset();
        return false;
    }
    set_content(out, std::move(*content), plan.range);
    return true;
}

/// The bytes of a record, which the storage has to read. It may read them into memory, where they are as long
/// as the client takes to receive them.
task<result<body>> read_content(const image_bytes_services& services, record_ptr record,
                                representation which) {
    constexpr std::uint64_t uncounted = 16 * 1024;
    images::byte_budget::lease memory;
    if (const auto size = record->descriptor(which).size; size > uncounted) {
        auto got = co_await services.memory.acquire(record->tenant, size);
        if (!got) co_return got.error();
        memory = std::move(*got);
    }
    auto content = co_await services.images.read(record, which);
    if (!content || content->memory() == nullptr || memory.size() == 0) co_return content;
    co_return body(images::leased(*content->memory(), std::move(memory)));
}

task<result<record_ptr>> find_record(const image_bytes_services& services, image_request asked) {
    std::string name(asked.name);
    if (asked.is_public_link()) co_return co_await services.images.find_public(std::move(name));
    co_return co_await services.images.find(asked.may->lend(), std::move(name));
}

/// Answers with the current record. @p asks: it is asked for again although the storage has it in memory,
/// which costs a store that several servers share a question to its database. Error, among others: stale
/// where the record was replaced before its bytes were read.
task<result<http::response>> answer_from_storage(const image_bytes_services& services, image_request asked,
                                                 http::request& message, bool asks) {
    const auto ticket = services.etags.begin_fill(asked.etag_key());
    std::optional<record_ptr> here;
    if (!asks) here = record_now(services, asked);
    if (!here) {
        auto found = co_await find_record(services, asked);
        if (!found) co_return found.error();
        here = std::move(*found);
    }
    const auto record = std::move(*here);

    known_image known;
    known.record = record.get();
    http::response out;
    auto plan = services.answers.plan(message, asked, known, out);
    images::coded_body coded;
    bool is_crowded = false;
    if (plan.next == needs::coded_body) {
        images::coded_bodies::load fetch = [&services, record, which = asked.which] {
            return services.images.read(record, which);
        };
        auto made = co_await services.coded.get(record->tenant, record->descriptor(asked.which).etag,
                                                plan.coding, std::move(fetch));
        is_crowded = !made && images::coded_bodies::is_crowded(made.error());
        if (!made && !is_crowded) co_return made.error();
        // An empty form stands for the bytes as they are.
        if (made) coded = std::move(*made);
        known.coded = &coded;
        plan = services.answers.plan(message, asked, known, out);
    }
    image_answers::remember(services.etags, ticket, asked, known,
                            is_crowded ? content_coding::identity : plan.coding,
                            cache::etag_cache::time_point::clock::now());
    if (plan.next == needs::content) {
        auto reading = read_content(services, record, asked.which);
        auto content = co_await std::move(reading);
        if (!content) co_return content.error();
        set_content(out, std::move(*content), plan.range);
    }
    co_return out;
}

task<result<http::response>> answer_image(const image_bytes_services& services,
                                          std::optional<image_view_permit> may, representation which,
                                          http::request& message) {
    image_request asked;
    asked.which = which;
    std::string key;
    if (may) {
        asked.may = &*may;
        asked.name = message.param(1);
        if (may_be_encoded_twice(asked.name)) {
            auto finding = stored_key(services.images, may->lend(), std::string(asked.name));
            key = co_await std::move(finding);
            asked.name = key;
        }
    } else {
        asked.name = message.param(0);
    }
    for (int attempt = 0; attempt < max_read_attempts; ++attempt) {
        auto answer = co_await answer_from_storage(services, asked, message, attempt > 0);
        if (answer || answer.error().code != errc::stale) co_return answer;
    }
    co_return replaced_too_often();
}

template <representation Which>
task<result<http::response>> image(const image_bytes_services& services, image_view_permit may,
                                   http::request& message) {
    return answer_image(services, std::move(may), Which, message);
}

template <representation Which>
bool image_now(const image_bytes_services& services, const image_view_permit& may, http::request& message,
               http::response& out) {
    const image_request asked{.which = Which, .may = &may, .name = message.param(1)};
    return answer_from_memory(services, asked, message, out);
}

task<result<http::response>> public_image(const image_bytes_services& services, http::request& message) {
    return answer_image(services, std::nullopt, representation::original, message);
}

bool public_image_now(const image_bytes_services& services, http::request& message, http::response& out) {
    const image_request asked{.which = representation::original, .may = nullptr, .name = message.param(0)};
    return answer_from_memory(services, asked, message, out);
}

using view_in_path = images_in_path<images::image_operation::view>;

constexpr endpoint<image_bytes_services> endpoints[] = {
    {http::method::get, "/api/images/{type}/{key}", "image.download", body_kind::none,
     allow_at_once<view_in_path, image<representation::original>, image_now<representation::original>>},
    {http::method::get, "/api/images/{type}/{key}/preview", "image.preview", body_kind::none,
     allow_at_once<view_in_path, image<representation::preview>, image_now<representation::preview>>},
    {http::method::get, "/api/images/public/{publicResourceKey}", "image.public", body_kind::none,
     allow_at_once<everyone, public_image, public_image_now>, true},
};

}  // namespace

std::span<const endpoint<image_bytes_services>> image_bytes_endpoints() noexcept {
    return endpoints;
}

}  // namespace gallery::api
