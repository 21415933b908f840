// SPDX-License-Identifier: Apache-2.0
/// Reads the configuration again and decides what of it a running server uses. Knows no parts of the server:
/// it is given functions that check and use a configuration.
///
///   read       the file, as at the start; a file that is wrong ends the reload
///   check      as at the start
///   compare    with the values in use (config/changes.hpp)
///   apply      the parts take the new values over, all of them or none
///   log        one line for each difference
///
/// An error at any step leaves the former configuration in use as a whole.
#pragma once

#include "config/changes.hpp"
#include "config/load.hpp"

#include <gallery/error.hpp>
#include <gallery/log_level.hpp>
#include <gallery/mutex.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace gallery::app {

class reloader {
public:
    struct steps {
        std::function<result<config::checked_configuration>()> read;
        std::function<result<void>(const config::configuration& in_use, const config::configuration& given)>
            check;
        config::option_rules rules;
        /// Uses comparison::next. Returns what else has changed, with files for instance. After an error
        /// nothing has changed.
        std::function<result<std::vector<config::change>>(const config::comparison&)> apply;
        /// Files and folders that messages may contain, besides those of settings.
        std::vector<std::string> paths;
    };

    reloader(config::configuration in_use, steps how) : how_(std::move(how)), in_use_(std::move(in_use)) {}

    /// Blocks. One call at a time; others wait. Logs the outcome. Error: invalid_argument with the problems
    /// of the configuration, one per line, or that of apply(). It may contain paths; see for_client().
    result<config::comparison> reload();

    /// A message of reload() without the folders of the paths in it.
    [[nodiscard]] std::string for_client(std::string message) const;

    struct figures {
        std::uint64_t done = 0;
        std::uint64_t failed = 0;
        bool has_failed_last = false;
        std::size_t needs_restart = 0;  ///< settings, by the last reload that was done
    };
    /// Any thread.
    [[nodiscard]] figures counters() const;

private:
    result<config::comparison> try_reload() GALLERY_REQUIRES(one_at_a_time_);
    void note_paths(const config::configuration& of) GALLERY_REQUIRES(one_at_a_time_);

    const steps how_;
    mutex one_at_a_time_;
    config::configuration in_use_ GALLERY_GUARDED_BY(one_at_a_time_);
    mutable mutex lock_;
    figures figures_ GALLERY_GUARDED_BY(lock_);
    std::vector<std::string> paths_ GALLERY_GUARDED_BY(lock_);  ///< seen in configurations
};

using log_line = std::pair<log_level, std::string>;
/// What the operator reads of a reload that was done.
std::vector<log_line> describe(const config::comparison& found);
/// And of one that was not; problems have a line each.
std::vector<log_line> describe(const error& why);

/// @p text with each of @p paths replaced by the name of the file or folder alone.
std::string without_folders(std::string text, std::vector<std::string> paths);

}  // namespace gallery::app
