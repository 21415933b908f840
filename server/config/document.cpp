// SPDX-License-Identifier: Apache-2.0
#include "config/document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <optional>
#include <sstream>
#include <string>

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
                            "expected at most " + std::to_string(most_keys) +
                                " keys, including those of aliases");
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
                problem(
                    member.second, path,
                    "expected at most " + std::to_string(most_levels) +
                        " nested sections, found more; does an alias refer to a section that contains it?");
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
        problem(node.Mark(), path, what);
    }

    void problem(const YAML::Mark& where, const std::string& path, const std::string& what) {
        if (!problems.empty()) problems += '\n';
        problems += file_ + ":" + std::to_string(where.line + 1) + ": ";
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

/// Notes where a document has its first value.
class first_value : public YAML::EventHandler {
public:
    std::optional<YAML::Mark> at;

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { note(mark); }
    void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string&) override {
        note(mark);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {
        note(mark);
    }
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {
        note(mark);
    }
    void OnMapEnd() override {}

private:
    void note(const YAML::Mark& mark) {
        if (!at) at = mark;
    }
};

/// Where the document behind the first one begins, if there is one with anything in it. Not by LoadAll(),
/// which finds documents without end in some malformed texts.
std::optional<YAML::Mark> second_document(const std::string& text) {
    std::istringstream in(text);
    YAML::Parser parser(in);
    first_value first;
    first_value second;
    if (parser.HandleNextDocument(first)) parser.HandleNextDocument(second);
    return second.at;
}

}  // namespace

result<document> parse_document(std::string_view yaml, const std::string& file, const environment& env,
                                std::string& problems) {
    reader all(file, env);
    try {
        const std::string text(yaml);
        const YAML::Node root = YAML::Load(text);
        if (root.IsMap()) {
            all.map(root, "");
        } else if (!root.IsNull()) {
            all.problem(root, "", "expected sections of \"key: value\"");
        }
        if (const auto another = second_document(text)) {
            all.problem(*another, "", "expected one document, found a second one (after \"---\")");
        }
    } catch (const YAML::Exception& e) {
        return error{errc::invalid_argument,
                     file + ":" + std::to_string(e.mark.line + 1) + ": this is not YAML: " + e.msg};
    }
    problems = std::move(all.problems);
    return std::move(all.values);
}

}  // namespace gallery::config
