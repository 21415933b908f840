// SPDX-License-Identifier: Apache-2.0
/// One image record in one block of memory.
///
/// The idea. The catalog contains millions of records and returns a few at a time. A block takes about a
/// third of the memory of an image_record; a record is made from it for each answer. Fields that sort a list,
/// and those that identify a record, are at fixed places. The others follow as numbers of variable length.
/// Tenants and media types are numbers of a table.
/// The cost. 82 bytes, the texts, 32 bytes for a preview of its own, and about 25 for the rest. Making a
/// record takes about half a microsecond.
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

/// The first 8 bytes of a text as a number of the same order; shorter texts are filled up with NULs.
std::uint64_t first_bytes(std::string_view text) noexcept;

/// Never changes. Empty or complete; every function but the constructors and operator bool requires a
/// complete one. The views that it returns refer to its memory.
class packed_record {
public:
    packed_record() = default;
    /// @p title_key is collation_key(title). Throws std::length_error if a text is longer than 65,535 bytes.
    packed_record(const stored& item, std::string_view title_key, names_of_records& names);

    explicit operator bool() const noexcept { return data_ != nullptr; }

    [[nodiscard]] image_id id() const noexcept { return at<image_id>(id_at); }
    [[nodiscard]] sha256_digest etag() const noexcept { return at<sha256_digest>(etag_at); }
    /// first_bytes() of the title's collation key.
    [[nodiscard]] std::uint64_t title_prefix() const noexcept { return at<std::uint64_t>(title_prefix_at); }
    [[nodiscard]] std::int64_t created_time() const noexcept { return at<std::int64_t>(created_time_at); }
    [[nodiscard]] std::uint32_t tenant() const noexcept { return at<std::uint32_t>(tenant_at); }
    [[nodiscard]] std::string_view title() const noexcept {
        return {data_.get() + texts_at, at<std::uint16_t>(title_size_at)};
    }
    [[nodiscard]] std::string_view key() const noexcept {
        return {data_.get() + texts_at + at<std::uint16_t>(title_size_at), at<std::uint16_t>(key_size_at)};
    }
    [[nodiscard]] std::string_view public_key() const noexcept;
    [[nodiscard]] std::uint64_t size() const noexcept;  ///< of the original
    [[nodiscard]] revision content_rev() const noexcept;
    [[nodiscard]] image_sub_type sub_type() const noexcept;

    [[nodiscard]] record_ptr record(const names_of_records& names) const;
    [[nodiscard]] stored unpack(const names_of_records& names) const;
    /// Sets the fields of @p to that filters and usage figures read, and no others: for many records in turn.
    void unpack_filtered(const names_of_records& names, image_record& to) const;

private:
    // Offsets of the fixed fields.
    static constexpr std::size_t id_at = 0;
    static constexpr std::size_t etag_at = 16;
    static constexpr std::size_t title_prefix_at = 48;
    static constexpr std::size_t created_time_at = 56;
    static constexpr std::size_t rev_at = 64;
    static constexpr std::size_t tenant_at = 72;
    static constexpr std::size_t title_size_at = 76;
    static constexpr std::size_t key_size_at = 78;
    static constexpr std::size_t flags_at = 80;
    static constexpr std::size_t texts_at = 82;

    class reader;

    template <class Field>
    [[nodiscard]] Field at(std::size_t offset) const noexcept {
        Field field;
        std::memcpy(&field, data_.get() + offset, sizeof field);
        return field;
    }
    [[nodiscard]] reader behind_texts() const noexcept;

    std::unique_ptr<char[]> data_;
};

}  // namespace gallery::kit
