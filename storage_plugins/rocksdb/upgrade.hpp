// SPDX-License-Identifier: Apache-2.0
/// Upgrades a store of an earlier format, or with title lists of another collation, to the present one.
///
/// Records, bodies, documents and changes of format 1 stay unchanged and can be read. Title lists are
/// rebuilt entry by entry, each in one atomic step, so each image always has one entry, of the old or of
/// the new kind. The content index and the usage figures are written as absolute values. Therefore
/// everything can be repeated after a kill at any moment. The first change writes the new format number, so
/// that older servers refuse the store, and a mark that an upgrade is in progress. The mark is removed at
/// the end.
#pragma once

#include "engine.hpp"

namespace gallery::rocks {

/// Precondition: nothing else uses the database; the format is at most format_version. Errors: the engine's,
/// and unavailable if the store must be upgraded and does not accept writes.
result<void> upgrade(engine& db, std::uint64_t found_format, const log_function& log);

}  // namespace gallery::rocks
