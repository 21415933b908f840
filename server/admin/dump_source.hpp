// SPDX-License-Identifier: Apache-2.0
/// The images in a file that pg_dump has made of ThingsBoard's database.
#pragma once

#include "admin/dump_rows.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace gallery::admin {

/// Calls @p take with each image of the dump, in its order (those of other tenants than @p tenant only with
/// their tenant); a failure ends the reading and is returned. A
/// dump in text is read as it is, one in pg_dump's custom format through `pg_restore`, which must be
/// installed; "-" is standard input, in text. Failures: not_found; refused for another file, and for a dump
/// that is cut off or lacks the table.
outcome<> read_dump(const std::string& path, const std::string& tenant,
                    const std::function<outcome<>(dumped_image)>& take);

}  // namespace gallery::admin
