// SPDX-License-Identifier: Apache-2.0
/// The names of an enumeration's values, in one table, for writing a value, reading it, and listing all of
/// them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gallery {

/// Immutable; made at compile time. Names are compared exactly. Of several names of one value the first is
/// the one that is written.
template <class Value, std::size_t Size>
struct name_table {
    struct entry {
        Value value;
        std::string_view name;
    };
    std::array<entry, Size> entries;

    /// Empty for a value that is not in the table.
    [[nodiscard]] constexpr std::string_view name_of(Value value) const noexcept {
        for (const auto& each : entries) {
            if (each.value == value) return each.name;
        }
        return {};
    }

    [[nodiscard]] constexpr std::optional<Value> find(std::string_view name) const noexcept {
        for (const auto& each : entries) {
            if (each.name == name) return each.value;
        }
        return std::nullopt;
    }

    /// All names for a message: "A, B or C".
    [[nodiscard]] std::string choices() const {
        std::string text;
        for (std::size_t i = 0; i < Size; ++i) {
            if (i > 0) text += i + 1 == Size ? " or " : ", ";
            text += entries[i].name;
        }
        return text;
    }
};

}  // namespace gallery
