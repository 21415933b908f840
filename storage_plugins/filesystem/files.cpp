// SPDX-License-Identifier: Apache-2.0
#include "files.hpp"

#include "names.hpp"

namespace gallery::file_store {

result<> replace_file(int at, const std::string& folder, const std::string& name, std::string_view content) {
    const auto temporary = folder + '/' + temporary_name();
    auto written = write_file(at, temporary, content);
    if (written) written = rename_over(at, temporary, folder + '/' + name);
    if (!written) {
        (void)remove_file(at, temporary);
        return written;
    }
    return sync_folder(at, folder);
}

}  // namespace gallery::file_store
