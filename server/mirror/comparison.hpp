// SPDX-License-Identifier: Apache-2.0
/// Compares a copy with its source, item by item.
#pragma once

#include "mirror/work.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gallery::mirror {

struct comparison {
    std::uint64_t images = 0;
    std::uint64_t kept_versions = 0;
    std::uint64_t documents = 0;
    std::uint64_t bodies = 0;  ///< that were read and hashed, of both stores
    std::uint64_t bytes = 0;   ///< of them
    /// What is missing, different, superfluous or damaged; at most work::max_problems.
    std::vector<std::string> problems;
    /// What the copy could not read from the source and has noted as damage; not among the problems.
    /// Likewise.
    std::vector<std::string> known_damage;

    [[nodiscard]] bool is_same() const noexcept { return problems.empty(); }
};

struct comparison_options {
    bool read_bodies = true;                             ///< reads and hashes every body of both stores
    std::function<void(std::uint64_t images)> progress;  ///< may be empty
};

/// Items that @p all knows as damaged are listed apart. Nobody writes either store meanwhile. Errors: those
/// of the stores that are not damage and prevent further reading; is_stopped().
task<result<comparison>> compare(work& all, comparison_options options);

}  // namespace gallery::mirror
