// SPDX-License-Identifier: Apache-2.0
#include "admin/commands.hpp"

#include "admin/copy.hpp"
#include "admin/reset_sysadmin.hpp"
#include "admin/restore.hpp"
#include "admin/verify.hpp"

#include <array>

namespace gallery::admin {

namespace {

constexpr std::array<command, 4> alone{{
    {"verify", "", "check the store itself: hashes and index entries", "", "", {}, nullptr, &verify},
    {"copy", "", "copy a closed store into another one, of any engine", "", "", {}, nullptr, &copy},
    {"restore", "", "copy a backup into the empty store of a stopped server", "", "", {}, nullptr, &restore},
    {"reset-sysadmin",
     "",
     "set a new password for the administrator in the store itself",
     "",
     "",
     {},
     nullptr,
     &reset_sysadmin},
}};

}  // namespace

const std::vector<const command*>& all_commands() {
    static const auto all = [] {
        std::vector<const command*> out;
        for (const auto table :
             {tenant_commands(), customer_commands(), user_commands(), api_key_commands(), image_commands(),
              image_export_commands(), image_import_commands(), image_pull_commands(), own_account_commands(),
              dashboard_commands(), node_commands(), mirror_commands(), backup_commands(),
              std::span<const command>(alone)}) {
            for (const auto& one : table)
                out.push_back(&one);
        }
        return out;
    }();
    return all;
}

}  // namespace gallery::admin
