// SPDX-License-Identifier: Apache-2.0
#include "config/changes.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace gallery::config {

namespace {

const std::string& plain_text(const configuration& c, const std::string& path) {
    static const std::string none;
    const auto found = c.plain.find(path);
    return found == c.plain.end() ? none : found->second.text;
}

std::string shown(const std::string& text, bool is_secret) {
    return is_secret && !text.empty() ? std::string(masked) : text;
}

std::string listed(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : names)
        out += (out.empty() ? "" : ", ") + name;
    return out;
}

class comparer {
public:
    comparer(const configuration& in_use, const configuration& given, const option_rules& rules)
        : in_use_(in_use), given_(given), rules_(rules) {
        // Whatever is not changed below stays as it is.
        out_.next = in_use;
    }

    comparison run() {
        std::set<std::string> bound;
        for (const auto& one : bindings()) {
            bound.insert(one.path);
            setting(one);
        }
        for (const auto& path : paths()) {
            if (!bound.contains(path)) option(path);
        }
        for (const auto& value : given_.effective)
            note_overridden(value);
        const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
        std::sort(out_.changed.begin(), out_.changed.end(), by_path);
        std::sort(out_.needs_restart.begin(), out_.needs_restart.end(), by_path);
        std::sort(out_.next.effective.begin(), out_.next.effective.end(), by_path);
        return std::move(out_);
    }

private:
    [[nodiscard]] std::set<std::string> paths() const {
        std::set<std::string> all;
        for (const auto* one : {&in_use_, &given_}) {
            for (const auto& [path, value] : one->plain)
                all.insert(path);
        }
        return all;
    }

    /// True where the value is to be used.
    bool note(change what, bool is_changeable) {
        (is_changeable ? out_.changed : out_.needs_restart).push_back(std::move(what));
        return is_changeable;
    }

    void setting(const binding& one) {
        const auto& from = plain_text(in_use_, one.path);
        const auto& to = plain_text(given_, one.path);
        if (from == to) return;
        const bool is_changeable = one.when != takes_effect::at_restart;
        if (!note({one.path, shown(from, one.secret), shown(to, one.secret), one.is_path}, is_changeable))
            return;
        one.set(out_.next.values, to);
        take_over(one.path);
    }

    /// storage.<plugin>.<option>
    void option(const std::string& path) {
        const auto rule = rules_(path);
        const auto& from = plain_text(in_use_, path);
        const auto& to = plain_text(given_, path);
        if (!rule.is_used || from == to) return;
        if (!note({path, shown(from, rule.is_secret), shown(to, rule.is_secret)}, rule.is_changeable)) return;
        out_.options_changed = true;
        const auto begin = path.find('.') + 1;
        const auto end = path.find('.', begin);
        auto& section = out_.next.values.storage.sections[path.substr(begin, end - begin)];
        if (given_.plain.contains(path)) {
            section[path.substr(end + 1)] = to;
        } else {
            section.erase(path.substr(end + 1));
        }
        take_over(path);
    }

    /// The description of the value, which --check-config would print.
    void take_over(const std::string& path) {
        std::erase_if(out_.next.effective, [&path](const auto& value) { return value.path == path; });
        out_.next.plain.erase(path);
        for (const auto& value : given_.effective) {
            if (value.path != path) continue;
            out_.next.effective.push_back(value);
            out_.next.plain[path].text = plain_text(given_, path);
        }
    }

    /// The file's text is compared with that of the last comparison, so that each edit is reported once.
    void note_overridden(const effective_value& value) {
        const auto& now = given_.plain.at(value.path);
        const auto before = in_use_.plain.find(value.path);
        const bool is_edited = before != in_use_.plain.end() && before->second.text == now.text &&
                               before->second.written != now.written;
        if (is_edited && !value.used.empty() && is_known(value.path))
            out_.overridden.push_back({value.path, value.place, listed(value.used)});
        if (const auto next = out_.next.plain.find(value.path); next != out_.next.plain.end())
            next->second.written = now.written;
    }

    [[nodiscard]] bool is_known(const std::string& path) const {
        const auto& all = bindings();
        const bool is_bound =
            std::any_of(all.begin(), all.end(), [&path](const binding& one) { return one.path == path; });
        return is_bound || rules_(path).is_used;
    }

    const configuration& in_use_;
    const configuration& given_;
    const option_rules& rules_;
    comparison out_;
};

}  // namespace

comparison compare(const configuration& in_use, const configuration& given, const option_rules& rules) {
    return comparer(in_use, given, rules).run();
}

std::string_view to_string(takes_effect when) noexcept {
    switch (when) {
        case takes_effect::at_restart:
            return "after a restart";
        case takes_effect::at_once:
            return "at once";
        case takes_effect::next_request:
            return "for new requests";
        case takes_effect::next_connection:
            return "for new connections";
        case takes_effect::next_image:
            return "for images decoded from then on";
    }
    return "";
}

}  // namespace gallery::config
