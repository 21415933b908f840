#include "config/document.hpp"

#include <yaml-cpp/yaml.h>

namespace gallery::config {

namespace {

class reader {
public:
    reader(const std::string& file, const environment& env) : file_(file), env_(env) {}

    void map(const YAML::Node& node, const std::string& prefix) {
        for (const auto& member : node) {
            if (!member.first.IsScalar()) {
                problem(member.first, prefix, "expected a key");
                continue;
            }
            const std::string path =
                prefix.empty() ? member.first.Scalar() : prefix + "." + member.first.Scalar();
            if (member.second.IsMap()) {
                map(member.second, path);
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
};

}  // namespace

result<document> parse_document(std::string_view yaml, const std::string& file, const environment& env) {
    reader all(file, env);
    try {
        const YAML::Node root = YAML::Load(std::string(yaml));
        if (root.IsMap()) {
            all.map(root, "");
        } else if (!root.IsNull()) {
            all.problem(root, "", "expected sections of \"key: value\"");
        }
    } catch (const YAML::Exception& e) {
        return error{errc::invalid_argument,
                     file + ":" + std::to_string(e.mark.line + 1) + ": this is not YAML: " + e.msg};
    }
    if (!all.problems.empty()) return error{errc::invalid_argument, all.problems};
    return std::move(all.values);
}

}  // namespace gallery::config
