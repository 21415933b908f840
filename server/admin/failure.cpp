// SPDX-License-Identifier: Apache-2.0
#include "admin/failure.hpp"

#include <boost/throw_exception.hpp>

#include <stdexcept>

namespace gallery::admin {

void throw_exception_from_error(const failure& f, const boost::source_location& where) {
    boost::throw_exception(std::logic_error("value() of a failed outcome: " + f.message), where);
}

}  // namespace gallery::admin
