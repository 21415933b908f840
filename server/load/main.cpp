// SPDX-License-Identifier: Apache-2.0
#include "admin/run.hpp"
#include "load/commands.hpp"

#include <cstddef>

int main(int count, char** arguments) {
    return gallery::admin::run({arguments + 1, static_cast<std::size_t>(count > 0 ? count - 1 : 0)},
                               gallery::load::load_program());
}
