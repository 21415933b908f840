#include "app/admin/verify.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

constexpr std::string_view help = R"(usage: gallery-admin COMMAND [OPTIONS]

  verify    hash everything that is stored again and compare every index entry

gallery-admin COMMAND --help says more.
)";

}  // namespace

int main(int count, char** arguments) {
    const std::string_view command = count > 1 ? arguments[1] : "";
    if (command == "verify") {
        return gallery::app::admin::verify({arguments + 2, static_cast<std::size_t>(count - 2)});
    }
    const bool asked = command == "--help" || command == "-h" || command == "help";
    std::fwrite(help.data(), 1, help.size(), asked ? stdout : stderr);
    return asked ? EXIT_SUCCESS : 64;
}
