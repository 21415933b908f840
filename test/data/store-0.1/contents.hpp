// SPDX-License-Identifier: Apache-2.0
/// What the stores in this folder contain. make_store.cpp wrote it with version 0.1; the tests of the upgrade
/// look for it.
#pragma once

#include <gallery/storage.hpp>

#include <string>
#include <vector>

namespace gallery::contract::old_store {

struct image {
    image_record record;  ///< without revisions, external id and origin
    std::string original;
    std::string preview;
};

inline tenant_id tenant(unsigned number) {
    if (number == 0) return system_tenant;
    tenant_id id;
    id.value.data[0] = 0x10;
    id.value.data[15] = static_cast<std::uint8_t>(number);
    return id;
}

inline std::string content(unsigned seed, std::size_t size) {
    std::string text;
    std::uint32_t state = seed * 2654435761U + 12345U;
    while (text.size() < size) {
        state = state * 1664525U + 1013904223U;
        text.push_back(static_cast<char>(state >> 24));
    }
    return text;
}

/// @p number decides everything but key and title.
inline image make(unsigned of_tenant, unsigned number, std::string key, std::string title) {
    image made;
    auto& record = made.record;
    record.tenant = tenant(of_tenant);
    record.id.value.data[0] = 0x20;
    record.id.value.data[14] = static_cast<std::uint8_t>(of_tenant);
    record.id.value.data[15] = static_cast<std::uint8_t>(number);
    record.key = std::move(key);
    record.title = std::move(title);
    record.file_name = "file " + std::to_string(number) + ".png";
    record.sub_type = number % 5 == 4 ? image_sub_type::scada_symbol : image_sub_type::image;
    record.is_public = number % 2 == 0;
    record.public_key = "public" + std::string(22, 'k') + std::to_string(1000 + of_tenant * 100 + number);
    record.created_time = 1'700'000'000'000 + number * 1000;
    made.original = content(of_tenant * 100 + number, 300 + number * 377 % 4000);
    record.original = {number % 3 == 0 ? "image/jpeg" : "image/png", 640 + number, 480, made.original.size(),
                       sha256(made.original)};
    record.preview_is_original = number % 3 == 1;
    if (!record.preview_is_original) made.preview = content(of_tenant * 100 + number + 50, 100 + number * 7);
    record.preview = record.preview_is_original
                         ? record.original
                         : body_descriptor{"image/png", 250, 188, made.preview.size(), sha256(made.preview)};
    return made;
}

inline std::vector<image> images() {
    return {
        make(0, 1, "logo.png", "Logo"),
        make(0, 2, "pump.svg", "Pump"),
        make(0, 3, "valve.svg", "valve"),
        make(0, 4, "symbol.svg", "Symbol"),
        make(1, 1, "abend.png", "Abend"),
        make(1, 2, "\xC3\xA4rger.png", "\xC3\x84rger"),
        make(1, 3, "zebra.png", "zebra"),
        make(1, 4, "../up/\xE2\x82\xAC.png",
             "stra\xC3\x9F"
             "e"),
        make(1, 5, "logo.png", "Strasse"),
        make(1, 6, "a b%2F.png", ""),
        make(1, 7, "renamed.png", "\xC3\xA9t\xC3\xA9"),
        make(1, 8, "replaced.png", "Etage"),
        make(1, 9, "A.png", "\xE4\xB8\x80"),
        make(2, 1, "only.png", "Only"),
    };
}

/// Were there and were erased.
inline std::vector<image> erased() {
    return {make(1, 20, "erased.png", "Erased"), make(3, 1, "gone.png", "The tenant's only one")};
}

inline std::vector<document> documents() {
    return {{"tenant", "10000000-0000-0000-0000-000000000001", R"({"title":"First"})", 0},
            {"tenant", "10000000-0000-0000-0000-000000000002", R"({"title":"Second"})", 0},
            {"user", "30000000-0000-0000-0000-000000000001", R"({"email":"one@example.org"})", 0},
            {"user", "30000000-0000-0000-0000-000000000002", R"({"email":"two@example.org"})", 0},
            {"settings", "security", "{}", 0},
            {"large", "one", "\"" + std::string(20'000, 'l') + "\"", 0}};
}

}  // namespace gallery::contract::old_store
