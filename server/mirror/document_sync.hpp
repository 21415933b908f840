// SPDX-License-Identifier: Apache-2.0
/// Makes documents of the target contain what they contain in the source; as image_sync does for images.
#pragma once

#include "mirror/work.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <set>
#include <vector>

namespace gallery::mirror {

/// Copies documents, up to 64 in one atomic write. Of those that the source does not have, it removes the
/// ones in @p erased and leaves the others unchanged. Names of kinds that are not copied are ignored. Errors:
/// those of the stores.
task<result<void>> sync_documents(work& all, std::vector<document_name> names,
                                  std::set<document_name> erased);

}  // namespace gallery::mirror
