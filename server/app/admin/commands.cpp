#include "app/admin/commands.hpp"

namespace gallery::app::admin {

namespace {

constexpr command verify_command{
    "verify", "",     "with no server on the store: hash everything again, compare every index", "", "",
    {},       nullptr};

}  // namespace

const std::vector<const command*>& all_commands() {
    static const auto all = [] {
        std::vector<const command*> out;
        for (const auto table : {tenant_commands(), customer_commands(), user_commands(), api_key_commands(),
                                 own_account_commands()}) {
            for (const auto& one : table)
                out.push_back(&one);
        }
        out.push_back(&verify_command);
        return out;
    }();
    return all;
}

}  // namespace gallery::app::admin
