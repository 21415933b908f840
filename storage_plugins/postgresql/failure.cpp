// SPDX-License-Identifier: Apache-2.0
#include "failure.hpp"

namespace gallery::postgres {
namespace {

bool is_any_of(std::string_view sqlstate, std::initializer_list<std::string_view> codes) noexcept {
    for (const auto code : codes)
        if (sqlstate == code) return true;
    return false;
}

errc code_of(const failure& what) noexcept {
    const std::string_view state = what.sqlstate;
    if (state == "53100") return errc::no_space;
    if (is_any_of(state, {"53300", "53200", "53000", "40001", "40P01", "55P03"})) return errc::busy;
    if (what.lost || ends_connection(state)) return errc::unavailable;
    if (state.starts_with("58")) return errc::io_error;
    if (state.starts_with("XX")) return state == "XX000" ? errc::io_error : errc::corrupt;
    // Rights, a missing schema, a cancelled statement: an operator can put it right.
    if (state.starts_with("42") || state.starts_with("57") || state.starts_with("55"))
        return errc::unavailable;
    return errc::internal;
}

}  // namespace

bool ends_connection(std::string_view sqlstate) noexcept {
    return sqlstate.starts_with("08") ||
           is_any_of(sqlstate, {"57P01", "57P02", "57P03", "57P05", "25006", "25P03"});
}

error to_error(const failure& what, std::string_view doing) {
    std::string message = "PostgreSQL failed while " + std::string(doing) + ": " + what.message;
    if (!what.sqlstate.empty()) message += " (SQLSTATE " + what.sqlstate + ")";
    return {code_of(what), std::move(message)};
}

error not_done(const failure& what, std::string_view doing) {
    auto known = to_error(what, doing);
    if (known.code == errc::unavailable) known.code = errc::busy;
    known.message += ". Nothing was changed.";
    return known;
}

}  // namespace gallery::postgres
