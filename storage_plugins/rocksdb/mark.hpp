// SPDX-License-Identifier: Apache-2.0
/// The revision up to which writes were acknowledged, in a small file beside the database.
///
/// It is written after the write-ahead log was synchronised and before the caller hears of it, without a
/// synchronisation of its own: after a crash of the process it is exact, after a power cut it may be a few
/// seconds old, and it is never ahead of what was durable. So a log that ends below the mark has lost
/// acknowledged writes, and one that is torn above it has not.
#pragma once

#include <gallery/error.hpp>
#include <gallery/model.hpp>

#include <optional>
#include <string>

namespace gallery::rocks {

class acknowledged_mark {
public:
    acknowledged_mark() = default;
    acknowledged_mark(const acknowledged_mark&) = delete;
    acknowledged_mark& operator=(const acknowledged_mark&) = delete;
    ~acknowledged_mark();

    /// Opens or creates it. Error: io_error where it cannot be written; read() works then, too, if it is
    /// there.
    result<void> open(const std::string& path);

    /// What it says; nothing where it is new or damaged.
    [[nodiscard]] std::optional<revision> read() const;

    /// One call at a time. A failure is left to the next call: an old mark only notices less.
    void write(revision rev) noexcept;

    /// Makes what was written durable; when the store closes.
    void synchronise() noexcept;

private:
    int descriptor_ = -1;
};

}  // namespace gallery::rocks
