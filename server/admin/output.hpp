// SPDX-License-Identifier: Apache-2.0
/// What commands print: aligned text for people, or the server's JSON for programs; nothing else is on
/// standard output.
#pragma once

#include "admin/failure.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::admin {

/// How one property of a resource is shown.
struct field {
    std::string_view name;  ///< "created"
    std::string (*text)(const boost::json::object&);
    bool in_list = true;  ///< a column of lists, too
};

/// A member that is a string; empty where it is not.
std::string text_of(const boost::json::object& from, std::string_view name);
/// A member that is a number; 0 where it is not.
std::int64_t number_of(const boost::json::object& from, std::string_view name);
/// The UUID in a member like {"entityType": ..., "id": ...}; empty where it is none, or ThingsBoard's null.
std::string id_of(const boost::json::object& from, std::string_view name = "id");
/// A time of creation, or another member in milliseconds since 1970.
std::string time_of(const boost::json::object& from, std::string_view name);

/// Text for a terminal: what would move its cursor or colour it becomes '?'.
std::string printable(std::string_view text);
/// Words with commas between them.
std::string joined(const std::vector<std::string>& words);
/// Columns of "NAME", one row for each object, without trailing blanks.
std::string render_list(const boost::json::array& all, std::span<const field> fields);
/// "name:  value" lines; empty values are left out.
std::string render_one(const boost::json::object& one, std::span<const field> fields);

class printer {
public:
    explicit printer(bool as_json) : as_json_(as_json) {}

    void list(const boost::json::array& all, std::span<const field> fields) const;
    void one(const boost::json::object& value, std::span<const field> fields) const;
    /// A list for people, and for programs the object that it was taken from.
    void report(const boost::json::object& whole, const boost::json::array& rows,
                std::span<const field> fields) const;
    /// Something that was done: a sentence for people, an object for programs.
    void done(const std::string& sentence, const boost::json::value& value) const;
    /// A line for people that is not data; on standard error, and not for programs.
    void note(const std::string& text) const;
    /// On standard error, for programs as an object.
    void error(const std::string& command, const failure& what) const;

    /// error(), and the exit code of the process.
    [[nodiscard]] int end(const std::string& command, const failure& what) const {
        error(command, what);
        return static_cast<int>(what.code);
    }

    /// Failure: output, where not all of it could be written.
    static outcome<> finish();

private:
    bool as_json_;
};

}  // namespace gallery::admin
