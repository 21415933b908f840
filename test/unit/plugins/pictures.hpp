// SPDX-License-Identifier: Apache-2.0
/// Images for tests that write to a store.
#pragma once

#include <gallery/encode.hpp>
#include <gallery/sha256.hpp>
#include <gallery/storage.hpp>

#include "await.hpp"
#include "boost_test.hpp"

#include <string>
#include <utility>

namespace gallery::plugins::test {

using gallery::test::await;

inline tenant_id some_tenant() {
    tenant_id out;
    out.value.data[15] = 7;
    return out;
}

/// An image whose bytes are @p text.
inline image_record described(const std::string& key, const std::string& text) {
    image_record out;
    out.id = image_id{random_uuid()};
    out.tenant = some_tenant();
    out.key = key;
    out.title = "Title of " + text;
    out.file_name = key;
    out.public_key = to_hex(sha256(std::span<const char>(to_string(out.id)))).substr(0, 32);
    out.created_time = 1'700'000'000'000;
    out.modified_time = out.created_time;
    out.original = {"image/png", 1, 1, text.size(), sha256(std::span<const char>(text))};
    out.preview_is_original = true;
    return out;
}

inline result<write_outcome> try_save(storage_engine& to, image_record record, const std::string& text,
                                      write_rules rules = precondition::any()) {
    return await(to.images().save(std::move(record), bytes::own(text), body(), rules));
}

/// Stores the image under its key, with the id and public key of the one that is there.
inline record_ptr save(storage_engine& to, const std::string& key, const std::string& text,
                       write_rules rules = precondition::any()) {
    auto record = described(key, text);
    if (const auto known = await(to.images().find(some_tenant(), key))) {
        record.id = (*known)->id;
        record.public_key = (*known)->public_key;
    }
    const auto saved = try_save(to, std::move(record), text, rules);
    BOOST_REQUIRE(saved.has_value());
    BOOST_REQUIRE(saved->status == write_status::committed);
    return saved->record;
}

inline std::string text_of(storage_engine& from, const record_ptr& record) {
    const auto content = await(from.images().read(record, representation::original));
    if (!content) return "error: " + std::string(to_string(content.error().code));
    const auto loaded = content->load();
    return loaded ? std::string(loaded->view()) : "unreadable";
}

inline record_ptr find(storage_engine& from, const std::string& key) {
    const auto found = await(from.images().find(some_tenant(), key));
    BOOST_REQUIRE(found.has_value());
    return *found;
}

inline revision save_document(storage_engine& to, const std::string& id, const std::string& text,
                              precondition condition = precondition::any()) {
    const auto saved = await(to.documents().save({"user", id, text, 0}, condition));
    BOOST_REQUIRE(saved.has_value());
    return saved->status == write_status::committed ? saved->rev : 0;
}

}  // namespace gallery::plugins::test
