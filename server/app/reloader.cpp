// SPDX-License-Identifier: Apache-2.0
#include "app/reloader.hpp"

#include "app/log.hpp"

#include <algorithm>
#include <exception>

namespace gallery::app {

namespace {

std::string quoted(const config::change& one) {
    return one.path + ": \"" + one.from + "\" -> \"" + one.to + "\"";
}

std::string settings_of(std::size_t count) {
    return std::to_string(count) + (count == 1 ? " setting" : " settings");
}

}  // namespace

std::vector<log_line> describe(const config::comparison& found) {
    std::vector<log_line> lines;
    std::string summary = "the configuration was reloaded: ";
    summary += found.changed.empty() ? "nothing has changed" : settings_of(found.changed.size()) + " changed";
    if (!found.needs_restart.empty()) {
        summary += "; " + settings_of(found.needs_restart.size()) +
                   (found.needs_restart.size() == 1 ? " requires" : " require") + " a restart";
    }
    lines.emplace_back(log_level::info, summary);
    for (const auto& one : found.changed)
        lines.emplace_back(log_level::info, "changed: " + quoted(one));
    for (const auto& one : found.needs_restart)
        lines.emplace_back(log_level::warning, "not in use before a restart: " + quoted(one));
    for (const auto& one : found.overridden) {
        lines.emplace_back(log_level::warning, one.place + ": " + one.path +
                                                   ": the change has no effect, because the value comes from "
                                                   "the environment (" +
                                                   one.variables +
                                                   "). Change it there and restart the server");
    }
    return lines;
}

std::vector<log_line> describe(const error& why) {
    std::vector<log_line> lines;
    lines.emplace_back(log_level::error,
                       "the configuration was not reloaded, and the former one is still in use. Correct the "
                       "following and reload it again");
    std::string_view rest = why.message;
    while (!rest.empty()) {
        const auto end = std::min(rest.find('\n'), rest.size());
        lines.emplace_back(log_level::error, rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return lines;
}

std::string without_folders(std::string text, std::vector<std::string> paths) {
    // Longer ones first, because one may contain another.
    std::sort(paths.begin(), paths.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
    for (const auto& path : paths) {
        const auto name_at = path.find_last_of('/') + 1;
        if (name_at == 0 || name_at == path.size()) continue;
        const auto name = path.substr(name_at);
        for (auto at = text.find(path); at != text.npos; at = text.find(path, at + name.size()))
            text.replace(at, path.size(), name);
    }
    return text;
}

result<config::comparison> reloader::reload() {
    const lock_guard hold(one_at_a_time_);
    const bool is_verbose = logs(log_level::info);
    const auto write = [](const std::vector<log_line>& lines) {
        for (const auto& [level, text] : lines)
            log(level, text);
    };
    result<config::comparison> done = error{errc::internal, "the configuration could not be reloaded"};
    try {
        done = try_reload();
    } catch (const std::exception& thrown) {
        done =
            error{errc::internal, std::string("the configuration could not be reloaded: ") + thrown.what()};
    }
    {
        const lock_guard counting(lock_);
        ++(done ? figures_.done : figures_.failed);
        figures_.has_failed_last = !done;
        if (done) figures_.needs_restart = done->needs_restart.size();
    }
    if (!done) {
        write(describe(done.error()));
        return done;
    }
    // The level is among the settings. Whichever of the two logs more has these lines.
    const auto& logging = done->next.values.logging;
    const bool is_verbose_now = logging.level <= log_level::info;
    if (is_verbose && !is_verbose_now) write(describe(*done));
    change_log(logging);
    if (!is_verbose || is_verbose_now) write(describe(*done));
    return done;
}

result<config::comparison> reloader::try_reload() {
    auto given = config::sound(how_.read());
    if (!given) return error{errc::invalid_argument, given.error().message};
    note_paths(in_use_);
    note_paths(*given);
    if (auto good = how_.check(in_use_, *given); !good) return good.error();
    auto found = config::compare(in_use_, *given, how_.rules);
    // Each of the two may be right, and the mixture of them that is in use before a restart not.
    if (auto wrong = config::contradiction(found.next.values); !wrong.empty())
        return error{errc::invalid_argument,
                     wrong + "\nsettings that require a restart are judged by the values in use"};
    auto others = how_.apply(found);
    if (!others) return others.error();
    for (auto& one : *others)
        found.changed.push_back(std::move(one));
    in_use_ = found.next;
    return found;
}

void reloader::note_paths(const config::configuration& of) {
    const lock_guard hold(lock_);
    for (const auto& one : config::bindings()) {
        const auto found = of.plain.find(one.path);
        if (!one.is_path || found == of.plain.end()) continue;
        const auto& path = found->second.text;
        if (path.find('/') == path.npos || std::ranges::find(paths_, path) != paths_.end()) continue;
        paths_.push_back(path);
    }
}

std::string reloader::for_client(std::string message) const {
    auto paths = how_.paths;
    {
        const lock_guard hold(lock_);
        paths.insert(paths.end(), paths_.begin(), paths_.end());
    }
    return without_folders(std::move(message), std::move(paths));
}

reloader::figures reloader::counters() const {
    const lock_guard hold(lock_);
    return figures_;
}

}  // namespace gallery::app
