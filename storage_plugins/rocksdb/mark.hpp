// SPDX-License-Identifier: Apache-2.0
/// The revision up to which writes were acknowledged, in a small file beside the database.
///
/// It is written after the write-ahead log was synchronised and before the outcome is returned, without a
/// synchronisation of its own. After a crash of the process it is exact. After a power failure it may be a
/// few seconds old. It is never ahead of the durable state. Therefore a log that ends below the mark has lost
/// acknowledged writes, and one that is damaged above it has not.
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

    /// Opens or creates it. Error: io_error if it cannot be written; read() then still works if it
    /// exists.
    result<void> open(const std::string& path);

    /// Its revision; empty if it is new or damaged.
    [[nodiscard]] std::optional<revision> read() const;

    /// One call at a time. A failure is ignored until the next call: an old mark only detects less.
    void write(revision rev) noexcept;

    /// Makes the mark durable; called when the store closes.
    void synchronise() noexcept;

private:
    int descriptor_ = -1;
};

}  // namespace gallery::rocks
