// SPDX-License-Identifier: Apache-2.0
#include "admin/status_line.hpp"

#include <cstdio>

#include <unistd.h>

namespace gallery::admin {

status_line::status_line(bool is_wanted) : is_shown_(is_wanted && ::isatty(STDERR_FILENO) != 0) {}

status_line::~status_line() {
    clear();
}

bool status_line::is_due() const noexcept {
    constexpr std::chrono::milliseconds between{100};
    return clock::now() - drawn_at_ >= between;
}

void status_line::draw(std::string_view text) {
    drawn_at_ = clock::now();
    is_drawn_ = true;
    std::fprintf(stderr, "\r%.*s\033[K", static_cast<int>(text.size()), text.data());
}

void status_line::clear() {
    if (is_drawn_) std::fputs("\r\033[K", stderr);
    is_drawn_ = false;
}

}  // namespace gallery::admin
