// SPDX-License-Identifier: Apache-2.0
#include "admin/commands.hpp"

namespace gallery::admin {

const std::vector<const command*>& all_commands() {
    static const auto all = [] {
        std::vector<const command*> out;
        for (const auto table :
             {tenant_commands(), profile_commands(), customer_commands(), user_commands(), api_key_commands(),
              image_commands(), image_export_commands(), image_import_commands(), image_pull_commands(),
              own_account_commands(), dashboard_commands(), node_commands(), mirror_commands(),
              scrub_commands(), backup_commands(), health_commands(), reload_commands(), alone_commands()}) {
            for (const auto& one : table)
                out.push_back(&one);
        }
        return out;
    }();
    return all;
}

}  // namespace gallery::admin
