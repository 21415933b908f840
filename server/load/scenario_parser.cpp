// SPDX-License-Identifier: Apache-2.0
#include "load/scenario.hpp"

#include "admin/files.hpp"
#include "admin/suggest.hpp"
#include "load/pictures.hpp"

#include <gallery/characters.hpp>

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

namespace gallery::load {

namespace {

/// A mistake and its line; becomes an error value before it leaves this file. An exception, because yaml-cpp
/// throws its own, and because a mistake ends the parsing at any depth.
struct mistake {
    int line = 0;
    std::string what;
};

[[noreturn]] void reject(const YAML::Node& at, const std::string& what) {
    throw mistake{at.Mark().line + 1, what};
}

std::string text_of(const YAML::Node& from, std::string_view key) {
    if (!from.IsScalar()) reject(from, std::string(key) + ": expected a value, found a list or a section");
    return from.Scalar();
}

/// Of a result whose message starts with the value.
template <class Value>
Value required(const YAML::Node& at, std::string_view key, result<Value> parsed) {
    if (!parsed) reject(at, std::string(key) + ": " + parsed.error().message);
    return std::move(*parsed);
}

double number(const YAML::Node& from, std::string_view key, double least, double most) {
    const auto text = text_of(from, key);
    double value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size() || !(value >= least && value <= most)) {
        reject(from, std::string(key) + ": expected a number from " +
                         std::to_string(static_cast<long>(least)) + " to " +
                         std::to_string(static_cast<long>(most)) + ", found '" + text + "'");
    }
    return value;
}

std::size_t whole(const YAML::Node& from, std::string_view key, std::size_t least, std::size_t most) {
    const double value = number(from, key, static_cast<double>(least), static_cast<double>(most));
    if (value != static_cast<double>(static_cast<std::size_t>(value)))
        reject(from, std::string(key) + ": expected a whole number, found '" + from.Scalar() + "'");
    return static_cast<std::size_t>(value);
}

std::chrono::nanoseconds duration(const YAML::Node& from, std::string_view key) {
    return required(from, key, parse_duration(text_of(from, key)));
}

bool yes_or_no(const YAML::Node& from, std::string_view key) {
    const auto text = text_of(from, key);
    if (text != "true" && text != "false")
        reject(from, std::string(key) + ": expected true or false, found '" + text + "'");
    return text == "true";
}

using reader = std::function<void(const YAML::Node&)>;

struct key_reader {
    std::string_view key;
    reader read;
};

/// Reads each member of a section with the reader of its key. Unknown and repeated keys are mistakes.
void read_section(const YAML::Node& section, std::string_view what, const std::vector<key_reader>& keys) {
    if (!section.IsMap()) reject(section, std::string(what) + ": expected a section");
    std::vector<std::string> seen;
    for (const auto& member : section) {
        const auto key = text_of(member.first, what);
        const auto known =
            std::find_if(keys.begin(), keys.end(), [&](const auto& one) { return one.key == key; });
        if (known == keys.end()) {
            std::vector<std::string_view> names;
            for (const auto& one : keys)
                names.push_back(one.key);
            const auto near = admin::nearest(key, names);
            reject(member.first, "'" + key + "' is not a key of " + std::string(what) +
                                     (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
        }
        if (std::find(seen.begin(), seen.end(), key) != seen.end())
            reject(member.first, "'" + key + "' is given twice");
        seen.push_back(key);
        known->read(member.second);
    }
}

void read_list(const YAML::Node& list, std::string_view what, const reader& each) {
    if (!list.IsSequence() || list.size() == 0)
        reject(list, std::string(what) + ": expected a list with entries");
    for (const auto& one : list)
        each(one);
}

/// "list, get * 8"
burst read_burst(const YAML::Node& from) {
    constexpr std::size_t most = 1000;
    burst out;
    const auto text = text_of(from, "requests");
    for (std::string_view left = text;;) {
        const auto comma = std::min(left.find(','), left.size());
        const auto part = left.substr(0, comma);
        const auto star = std::min(part.find('*'), part.size());
        const auto name = trim(part.substr(0, star));
        const auto what = operation_named(name);
        if (!what) {
            const auto near = admin::nearest(name, {operation_names.begin(), operation_names.end()});
            reject(from,
                   "'" + std::string(name) + "' is not a request" +
                       (near.empty()
                            ? "; valid are list, search, info, get, revalidate, preview, upload, replace"
                            : "; did you mean " + std::string(near) + "?"));
        }
        burst::part made{*what, 1};
        if (star < part.size()) {
            const auto count = trim(part.substr(star + 1));
            const auto [end, failed] = std::from_chars(count.data(), count.data() + count.size(), made.count);
            if (failed != std::errc() || end != count.data() + count.size() || made.count < 1 ||
                made.count > most)
                reject(from, "'" + std::string(count) + "' is not a number of requests from 1 to 1000");
        }
        out.parts.push_back(made);
        if (comma == left.size()) return out;
        left.remove_prefix(comma + 1);
    }
}

constexpr double highest_share = 1e6;
constexpr double highest_visit_rate = 1e7;

visit_plan read_visit(const YAML::Node& from) {
    visit_plan out;
    read_section(from, "a visit",
                 {{"name", [&](const auto& at) { out.name = text_of(at, "name"); }},
                  {"share", [&](const auto& at) { out.share = number(at, "share", 0, highest_share); }},
                  {"think", [&](const auto& at) { out.think = duration(at, "think"); }},
                  {"same_image", [&](const auto& at) { out.same_image = yes_or_no(at, "same_image"); }},
                  {"requests", [&](const auto& at) {
                       read_list(at, "requests",
                                 [&](const auto& one) { out.bursts.push_back(read_burst(one)); });
                   }}});
    if (out.bursts.empty()) reject(from, "a visit requires 'requests'");
    return out;
}

stage read_stage(const YAML::Node& from) {
    stage out;
    read_section(from, "a stage",
                 {{"rate", [&](const auto& at) { out.rate = number(at, "rate", 0, highest_visit_rate); }},
                  {"duration", [&](const auto& at) { out.duration = duration(at, "duration"); }}});
    if (out.duration.count() == 0) reject(from, "a stage requires a 'duration' above 0");
    return out;
}

picture_size read_size(const YAML::Node& from) {
    picture_size out;
    read_section(
        from, "a size",
        {{"size", [&](const auto& at) { out.bytes = required(at, "size", parse_size(text_of(at, "size"))); }},
         {"share", [&](const auto& at) { out.share = number(at, "share", 0, highest_share); }}});
    if (out.bytes < smallest_picture || out.bytes > largest_picture)
        reject(from, "size: expected a size from 200 bytes to 64 MiB");
    return out;
}

template <class List>
void require_shares(const YAML::Node& at, const List& list, std::string_view what) {
    if (std::none_of(list.begin(), list.end(), [](const auto& one) { return one.share > 0; }))
        reject(at, std::string(what) + ": expected a share above 0");
}

scenario read_scenario(const YAML::Node& root) {
    scenario out;
    double rate = 0;
    std::chrono::nanoseconds length{}, ramp{};
    read_section(
        root, "a scenario",
        {{"description", [&](const auto& at) { out.description = text_of(at, "description"); }},
         {"rate", [&](const auto& at) { rate = number(at, "rate", 0, highest_visit_rate); }},
         {"duration", [&](const auto& at) { length = duration(at, "duration"); }},
         {"ramp", [&](const auto& at) { ramp = duration(at, "ramp"); }},
         {"stages",
          [&](const auto& at) {
              read_list(at, "stages", [&](const auto& one) { out.stages.push_back(read_stage(one)); });
          }},
         {"warm_up", [&](const auto& at) { out.warm_up = duration(at, "warm_up"); }},
         {"arrivals",
          [&](const auto& at) {
              const auto text = text_of(at, "arrivals");
              if (text != "even" && text != "random")
                  reject(at, "arrivals: expected even or random, found '" + text + "'");
              out.is_even = text == "even";
          }},
         {"connections", [&](const auto& at) { out.connections = whole(at, "connections", 1, 100'000); }},
         {"tenants", [&](const auto& at) { out.tenants = whole(at, "tenants", 1, 1000); }},
         {"images", [&](const auto& at) { out.images = whole(at, "images", 1, 1'000'000); }},
         {"sizes",
          [&](const auto& at) {
              read_list(at, "sizes", [&](const auto& one) { out.sizes.push_back(read_size(one)); });
              require_shares(at, out.sizes, "sizes");
          }},
         {"popularity", [&](const auto& at) { out.popularity = number(at, "popularity", 0, 10); }},
         {"timeout", [&](const auto& at) { out.timeout = duration(at, "timeout"); }},
         {"hashed", [&](const auto& at) { out.hashed = number(at, "hashed", 0, 1); }},
         {"visits",
          [&](const auto& at) {
              read_list(at, "visits", [&](const auto& one) { out.visits.push_back(read_visit(one)); });
              require_shares(at, out.visits, "visits");
          }},
         {"thresholds", [&](const auto& at) {
              read_list(at, "thresholds", [&](const auto& one) {
                  out.thresholds.push_back(
                      required(one, "thresholds", parse_threshold(text_of(one, "thresholds"))));
              });
          }}});
    if (out.visits.empty()) reject(root, "a scenario requires 'visits'");
    if (out.sizes.empty()) out.sizes.push_back({14 * 1024, 1});
    if (out.timeout.count() == 0) reject(root, "timeout: expected a duration above 0");
    if (out.stages.empty()) {
        if (rate <= 0 || length.count() == 0)
            reject(root, "a scenario requires 'rate' and 'duration', or 'stages'");
        if (ramp.count() > 0) out.stages.push_back({rate, ramp});
        // A stage of no length sets the rate at once.
        else
            out.stages.push_back({rate, {}});
        out.stages.push_back({rate, length});
    } else if (rate > 0 || length.count() > 0 || ramp.count() > 0) {
        reject(root, "'stages' cannot be used together with 'rate', 'duration' and 'ramp'");
    }
    if (out.highest_rate() <= 0) reject(root, "stages: expected a rate above 0");
    if (out.warm_up >= out.duration()) reject(root, "warm_up: expected less than the whole duration");
    return out;
}

}  // namespace

result<scenario> parse_scenario(std::string_view yaml, const std::string& file) {
    const auto at = [&file](int line, const std::string& what) {
        return error{errc::invalid_argument, file + ":" + std::to_string(line) + ": " + what};
    };
    try {
        const auto root = YAML::Load(std::string(yaml));
        if (!root.IsMap()) return at(1, "a scenario is a section of YAML");
        auto out = read_scenario(root);
        out.name = file;
        return out;
    } catch (const mistake& found) {
        return at(found.line, found.what);
    } catch (const YAML::Exception& found) {
        return at(found.mark.line + 1, "this is not YAML: " + found.msg);
    }
}

result<scenario> find_scenario(const std::string& name_or_path) {
    auto name = name_or_path;
    std::replace(name.begin(), name.end(), ' ', '-');
    std::vector<std::string_view> names;
    for (const auto& one : builtin_scenarios()) {
        if (one.name == name) return parse_scenario(one.yaml, std::string(one.name));
        names.push_back(one.name);
    }
    auto text = admin::read_file(name_or_path);
    if (text) return parse_scenario(*text, name_or_path);
    const auto near = admin::nearest(name, names);
    return error{errc::not_found, "'" + name_or_path +
                                      "' is neither a built-in scenario nor a file that can be read" +
                                      (near.empty() ? ". gallery-load scenarios lists the built-in ones"
                                                    : "; did you mean " + std::string(near) + "?")};
}

}  // namespace gallery::load
