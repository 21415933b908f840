// SPDX-License-Identifier: Apache-2.0
#include "config/load.hpp"

#include "config/bindings.hpp"
#include "config/nearest.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

namespace gallery::config {

namespace {

class loader {
public:
    loader(document defaults, document given, std::string problems)
        : values_(std::move(given)), problems_(std::move(problems)) {
        for (const auto& [path, value] : defaults)
            from_defaults_.insert(path);
        for (const auto& [path, value] : values_)
            from_defaults_.erase(path);
        values_.merge(std::move(defaults));
    }

    checked_configuration run() {
        for (const auto& binding : bindings())
            take(binding);
        for (const auto& [path, value] : values_) {
            if (!known_.contains(path)) section_value(path, value);
        }
        if (problems_.empty()) {
            if (auto wrong = contradiction(done_.values); !wrong.empty()) problems_ = std::move(wrong);
        }
        std::sort(done_.effective.begin(), done_.effective.end(),
                  [](const auto& a, const auto& b) { return a.path < b.path; });
        return {std::move(done_), std::move(problems_)};
    }

private:
    void take(const binding& b) {
        known_.insert(b.path);
        const auto found = values_.find(b.path);
        if (found == values_.end()) {
            // Not in the defaults: the table and the file have come apart, which a test holds together.
            problem("gallery.yml: " + b.path + " has no default");
            return;
        }
        const scalar& value = found->second;
        if (!b.set(done_.values, value.text)) {
            problem(
                value.place() + ": " + b.path + ": expected " + b.expected + ", found " +
                (b.secret ? "another value (not shown, because it is secret)" : "\"" + value.text + "\"") +
                origin(value));
            b.set(done_.values, preset(b.path));
        }
        note(b.path, value, b.secret);
    }

    /// storage.<plugin>.<option>: what may be there is the plugin's to say.
    void section_value(const std::string& path, const scalar& value) {
        constexpr std::string_view prefix = "storage.";
        if (path.starts_with(prefix)) {
            const auto dot = path.find('.', prefix.size());
            const std::string section = path.substr(prefix.size(), dot - prefix.size());
            if (dot != std::string::npos && !known_.contains(path.substr(0, dot))) {
                done_.values.storage.sections[section][path.substr(dot + 1)] = value.text;
                const bool is_default = from_defaults_.contains(path) && value.used.empty();
                note(path, value, !is_default);
                return;
            }
        }
        std::string message =
            value.place() + ": " + path + ": expected a key of etc/gallery.yml, found an unknown one";
        if (const auto meant = suggestion(path); !meant.empty())
            message += "; did you mean " + std::string(meant) + "?";
        problem(message);
    }

    /// The known key that was probably meant.
    [[nodiscard]] std::string_view suggestion(std::string_view path) const {
        constexpr std::size_t most_typos = 3;
        const auto near = nearest(path, {known_.begin(), known_.end()}, most_typos);
        if (!near.empty()) return near;
        // The right name in another section.
        const auto name_of = [](std::string_view key) { return key.substr(key.rfind('.') + 1); };
        const auto same = std::ranges::find_if(
            known_, [&](const std::string& key) { return name_of(key) == name_of(path); });
        return same == known_.end() ? std::string_view() : std::string_view(*same);
    }

    /// The default in gallery.yml, regardless of the environment.
    static std::string preset(const std::string& path) {
        std::string none;
        const auto plain = parse_document(
            default_document(), "", [](const std::string&) { return std::optional<std::string>(); }, none);
        if (!plain) return {};
        const auto found = plain->find(path);
        return found == plain->end() ? std::string() : found->second.text;
    }

    static std::string origin(const scalar& value) {
        if (value.used.empty()) return "";
        std::string text =
            value.used.size() == 1 ? " (from the environment variable " : " (from the environment variables ";
        for (std::size_t i = 0; i < value.used.size(); ++i)
            text += (i > 0 ? ", " : "") + value.used[i];
        return text + ")";
    }

    void note(const std::string& path, const scalar& value, bool secret) {
        effective_value e;
        e.path = path;
        e.text = secret && !value.text.empty() ? std::string(masked) : value.text;
        if (!value.used.empty()) {
            e.from = "environment";
            for (const auto& name : value.used)
                e.from += " " + name;
        } else {
            e.from = from_defaults_.contains(path) ? "default" : value.place();
        }
        e.names = value.names;
        e.used = value.used;
        e.place = value.place();
        e.origin = origin(value);
        done_.plain[path] = {value.text, value.written};
        done_.effective.push_back(std::move(e));
    }

    void problem(const std::string& text) {
        if (!problems_.empty()) problems_ += '\n';
        problems_ += text;
    }

    document values_;
    std::set<std::string> from_defaults_;
    std::set<std::string> known_;
    std::string problems_;
    configuration done_;
};

}  // namespace

result<configuration> load_text(std::string_view yaml, const std::string& file, const environment& env) {
    return sound(check_text(yaml, file, env));
}

result<configuration> sound(result<checked_configuration> checked) {
    if (!checked) return checked.error();
    if (!checked->problems.empty()) return error{errc::invalid_argument, std::move(checked->problems)};
    return std::move(checked->content);
}

result<checked_configuration> check_text(std::string_view yaml, const std::string& file,
                                         const environment& env) {
    std::string problems;
    auto given = parse_document(yaml, file, env, problems);
    if (!given) return given.error();
    std::string none;
    auto defaults = parse_document(default_document(), "gallery.yml (built in)", env, none);
    if (!defaults) return defaults.error();
    return loader(std::move(*defaults), std::move(*given), std::move(problems)).run();
}

result<checked_configuration> check_file(const std::string& file, const environment& env) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    // An empty file is a configuration, too: all defaults. Streaming it would set failbit.
    if (in && in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();
    if (!in.is_open() || in.bad() || text.bad()) {
        const int reason = errno;
        return error{reason == ENOENT ? errc::not_found : errc::io_error,
                     "cannot read the configuration file " + file + ": " + std::strerror(reason)};
    }
    return check_text(text.str(), file, env);
}

}  // namespace gallery::config
