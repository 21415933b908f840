// SPDX-License-Identifier: Apache-2.0
/// Brings a store of an earlier format, or with title lists of another collation, to the present one.
///
/// Records, bodies, documents and changes of format 1 stay as they are and are read as such. Title lists are
/// rebuilt entry by entry, each in one atomic step, so that at any moment each image has one entry, of the
/// old or of the new kind. The content index and the usage figures are written as absolute values. So all of
/// it can be repeated after a kill at any moment. Before the first change the store gets its new format
/// number, by which older servers refuse it, and a mark that the upgrade is in progress, which is removed at
/// the end.
#pragma once

#include "engine.hpp"

namespace gallery::rocks {

/// Precondition: nothing else uses the database; the format is at most format_version. Errors: the engine's,
/// and unavailable where the store has to be upgraded and accepts no writes.
result<void> upgrade(engine& db, std::uint64_t found_format, const log_function& log);

}  // namespace gallery::rocks
