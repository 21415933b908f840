#include "config/document.hpp"

#include <yaml-cpp/yaml.h>

namespace gallery::config {

namespace {

/// An alias may stand for what it lies in, or for ten of what stands for ten others; no configuration has
/// more.
constexpr int most_levels = 16;
constexpr int most_keys = 10'000;

class reader {
public:
    reader(const std::string& file, const environment& env) : file_(file), env_(env) {}

    void map(const YAML::Node& node, const std::string& prefix, int level = 1) {
        for (const auto& member : node) {
            if (++keys_ > most_keys) {
                if (keys_ == most_keys + 1) {
                    problem(member.first, "",
                            "expected at most " + std::to_string(most_keys) + " keys, aliases counted");
                }
                return;
            }
            if (!member.first.IsScalar()) {
                problem(member.first, prefix, "expected a key");
                continue;
            }
            const std::string path =
                prefix.empty() ? member.first.Scalar() : prefix + "." + member.first.Scalar();
            if (member.second.IsMap() && level == most_levels) {
                problem(member.second, path,
                        "expected at most " + std::to_string(most_levels) +
                            " sections within each other, found more; does an alias name what it lies in?");
            } else if (member.second.IsMap()) {
                map(member.second, path, level + 1);
            } else if (member.second.IsScalar()) {
                value(member.second, path);
            } else if (member.second.IsNull()) {
                // A section whose values are all commented out, or an empty value: both say nothing.
            } else {
                problem(member.second, path, "expected a value or a section, found a list");
            }
        }
    }

    void problem(const YAML::Node& node, const std::string& path, const std::string& what) {
        if (!problems.empty()) problems += '\n';
        problems += file_ + ":" + std::to_string(node.Mark().line + 1) + ": ";
        if (!path.empty()) problems += path + ": ";
        problems += what;
    }

    document values;
    std::string problems;

private:
    void value(const YAML::Node& node, const std::string& path) {
        if (values.contains(path)) {
            problem(node, path, "expected once, found again; first at " + values.at(path).place());
            return;
        }
        scalar found;
        found.written = node.Scalar();
        found.file = file_;
        found.line = node.Mark().line + 1;
        auto replaced = substitute(found.written, env_);
        if (!replaced) {
            problem(node, path, "expected " + replaced.error().message);
            return;
        }
        found.text = std::move(replaced->text);
        found.names = std::move(replaced->names);
        found.used = std::move(replaced->used);
        values.emplace(path, std::move(found));
    }

    const std::string& file_;
    const environment& env_;
    int keys_ = 0;
};

}  // namespace

result<document> parse_document(std::string_view yaml, const std::string& file, const environment& env) {
    reader all(file, env);
    try {
        bool first = true;
        for (const YAML::Node& root : YAML::LoadAll(std::string(yaml))) {
            if (root.IsNull()) continue;
            if (!first) {
                all.problem(root, "", "expected one document, found another one (after \"---\")");
            } else if (root.IsMap()) {
                all.map(root, "");
            } else {
                all.problem(root, "", "expected sections of \"key: value\"");
            }
            first = false;
        }
    } catch (const YAML::Exception& e) {
        return error{errc::invalid_argument,
                     file + ":" + std::to_string(e.mark.line + 1) + ": this is not YAML: " + e.msg};
    }
    if (!all.problems.empty()) return error{errc::invalid_argument, all.problems};
    return std::move(all.values);
}

}  // namespace gallery::config
