// SPDX-License-Identifier: Apache-2.0
/// Makes documents of the target contain what they contain in the source; as image_sync does for images.
#pragma once

#include "mirror/work.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <string>
#include <utility>
#include <vector>

namespace gallery::mirror {

using document_name = std::pair<std::string, std::string>;  ///< kind and id

/// Copies documents, and erases those that the source does not have, up to 64 in one atomic write. Names of
/// kinds that are not copied are ignored. Errors: those of the stores.
task<result<void>> sync_documents(work& all, std::vector<document_name> names);

}  // namespace gallery::mirror
