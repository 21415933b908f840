// SPDX-License-Identifier: Apache-2.0
/// Calls of a plugin that does not have to keep the contract: each ends, and what cannot be is an error
/// value.
#pragma once

#include "await.hpp"
#include "watchdog.hpp"

#include <gallery/storage.hpp>

#include <boost/assert/source_location.hpp>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace gallery::contract {

inline std::string describe(const boost::source_location& where) {
    const std::string file = where.file_name();
    return "the call at " + file.substr(file.rfind('/') + 1) + ':' + std::to_string(where.line()) + " in " +
           where.function_name();
}

inline bool has_all_records(const record_ptr& record) {
    return record != nullptr;
}
inline bool has_all_records(const image_page& page) {
    return std::find(page.images.begin(), page.images.end(), nullptr) == page.images.end();
}
inline bool has_all_records(const scan_page<record_ptr>& page) {
    return std::find(page.items.begin(), page.items.end(), nullptr) == page.items.end();
}
inline bool has_all_records(const std::vector<record_ptr>& records) {
    return std::find(records.begin(), records.end(), nullptr) == records.end();
}
inline bool has_all_records(const kept_version& version) {
    return version.record != nullptr;
}
inline bool has_all_records(const scan_page<kept_version>& page) {
    return std::all_of(page.items.begin(), page.items.end(),
                       [](const kept_version& version) { return version.record != nullptr; });
}
template <class T>
bool has_all_records(const T& /*answer*/) {
    return true;
}

/// test::await() that names the call which throws or does not end. A successful answer in which a record is
/// null is `internal`, so that tests need not expect one.
template <class T>
result<T> await(task<result<T>> work, boost::source_location where = BOOST_CURRENT_LOCATION) {
    const watched call(describe(where));
    try {
        auto answer = test::await(std::move(work));
        if constexpr (!std::is_void_v<T>) {
            if (answer && !has_all_records(*answer))
                answer = error{errc::internal,
                               describe(where) + ": success without a record, which is never null then"};
        }
        return answer;
    } catch (const std::exception& e) {
        throw std::runtime_error(describe(where) +
                                 ": expected an error value, found an exception: " + e.what());
    } catch (...) {
        throw std::runtime_error(describe(where) + ": expected an error value, found something thrown");
    }
}

}  // namespace gallery::contract
