// SPDX-License-Identifier: Apache-2.0
/// What the row of an image (row_pages.hpp) lacks for its record, in one block of memory.
///
/// The idea. The catalog contains millions of records and returns a few at a time. Row and block together
/// take a third of the memory of an image_record; a record is made from them for each answer. Fields that
/// tables and orders compare are at fixed places. The others follow as numbers of variable length. Tenants
/// and media types are numbers of a table. The cost. 48 bytes, the key, 32 bytes for a preview of its own, 32
/// for a public key, and about 25 for the rest. Making a record takes about half a microsecond.
#pragma once

#include <gallery/kit/catalog.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gallery::kit {

/// Tenants and media types by number. Numbers are never reused. Not thread-safe.
class names_of_records {
public:
    std::uint32_t number_of(const tenant_id& tenant) { return number_in(tenants_, tenant_numbers_, tenant); }
    std::uint32_t number_of(const std::string& media_type) {
        return number_in(media_types_, media_type_numbers_, media_type);
    }
    [[nodiscard]] const tenant_id& tenant(std::uint32_t number) const { return tenants_[number]; }
    [[nodiscard]] const std::string& media_type(std::uint64_t number) const {
        return media_types_[static_cast<std::size_t>(number)];
    }

private:
    template <class Name>
    static std::uint32_t number_in(std::vector<Name>& names, std::unordered_map<Name, std::uint32_t>& numbers,
                                   const Name& name) {
        const auto [found, is_new] = numbers.try_emplace(name, static_cast<std::uint32_t>(names.size()));
        if (is_new) names.push_back(name);
        return found->second;
    }

    std::vector<tenant_id> tenants_;
    std::unordered_map<tenant_id, std::uint32_t> tenant_numbers_;
    std::vector<std::string> media_types_;
    std::unordered_map<std::string, std::uint32_t> media_type_numbers_;
};

/// The fields of a record that are in its row, or beside a kept version.
struct row_fields {
    image_id id;
    std::int64_t created_time = 0;
    std::string_view title;
};

/// The first 8 bytes of a text as a number of the same order; shorter texts are filled up with NULs.
std::uint64_t first_bytes(std::string_view text) noexcept;

/// Never changes. Empty or complete; every function but the constructors and operator bool requires a
/// complete one. The views that it returns refer to its memory.
class packed_record {
public:
    packed_record() = default;
    /// Throws std::length_error if a text is longer than 65,535 bytes.
    packed_record(const stored& item, names_of_records& names);

    explicit operator bool() const noexcept { return data_ != nullptr; }

    [[nodiscard]] sha256_digest etag() const noexcept { return at<sha256_digest>(etag_at); }
    [[nodiscard]] std::uint32_t tenant() const noexcept { return at<std::uint32_t>(tenant_at); }
    [[nodiscard]] std::string_view key() const noexcept {
        return {data_.get() + key_at, at<std::uint16_t>(key_size_at)};
    }
    [[nodiscard]] std::string_view public_key() const noexcept;
    [[nodiscard]] revision content_rev() const noexcept;
    [[nodiscard]] image_sub_type sub_type() const noexcept;

    [[nodiscard]] stored unpack(const row_fields& beside, const names_of_records& names) const;
    /// Sets the fields of @p to that filters and usage figures read, apart from created_time, and no others:
    /// for many records in turn.
    void unpack_filtered(const names_of_records& names, image_record& to) const;

private:
    // Offsets of the fixed fields.
    static constexpr std::size_t etag_at = 0;
    static constexpr std::size_t rev_at = 32;
    static constexpr std::size_t tenant_at = 40;
    static constexpr std::size_t key_size_at = 44;
    static constexpr std::size_t flags_at = 46;
    static constexpr std::size_t key_at = 48;

    class reader;

    template <class Field>
    [[nodiscard]] Field at(std::size_t offset) const noexcept {
        Field field;
        std::memcpy(&field, data_.get() + offset, sizeof field);
        return field;
    }
    [[nodiscard]] reader behind_key() const noexcept;

    std::unique_ptr<char[]> data_;
};

}  // namespace gallery::kit
