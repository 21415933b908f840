// SPDX-License-Identifier: Apache-2.0
// gallery-admin images import
#include "admin/commands.hpp"
#include "admin/image_selection.hpp"
#include "admin/import_source.hpp"
#include "admin/transfer.hpp"

#include <gallery/encode.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace gallery::admin {

namespace {

constexpr auto import_options =
    join(join(bring_options, jobs_options),
         join(selection_options,
              std::array<option, 1>{
                  {{"--accept-changes", "", "import pictures that differ from the etag in their JSON"}}}));

struct job {
    import_source* from = nullptr;
    const import_item* item = nullptr;
};

outcome<> import_one(server_api& server, const job& what, transfer_target& target, const bring_rules& rules,
                     bool accept_changes, transfer_report& report, std::uint64_t& bytes) {
    auto wanted = what.item->about;
    auto picture = read_picture(*what.from, *what.item, accept_changes);
    if (!picture) {
        report.failed(wanted.key.empty() ? what.item->name : wanted.key, picture.error().message);
        return {};
    }
    wanted.etag = picture->etag;
    describe_as_stored(wanted, picture->bytes);
    bytes = picture->bytes.size();
    return bring(
        server, target, wanted,
        [&picture]() -> outcome<std::string> { return base64_encode(picture->bytes); }, rules, report);
}

outcome<> run_import(session& in) {
    const auto jobs = read_jobs(in);
    if (!jobs) return jobs.error();
    const auto wanted = read_selection(in);
    if (!wanted) return wanted.error();
    const bool all = std::none_of(selection_options.begin(), selection_options.end(),
                                  [&in](const option& one) { return in.given.has(one.name); });

    std::vector<std::unique_ptr<import_source>> sources;
    std::vector<job> work;
    std::map<std::string, std::string> by_key;
    for (const auto& path : in.given.operands) {
        auto source = open_source(path);
        if (!source) return source.error();
        for (const auto& item : (*source)->items) {
            if (!all && !matches(*wanted, item.about)) continue;
            if (!item.about.key.empty()) {
                const auto [other, is_new] = by_key.emplace(item.about.key, item.name);
                if (!is_new) {
                    return failure{exit_code::refused, "the key '" + item.about.key + "' is in '" +
                                                           other->second + "' and in '" + item.name +
                                                           "'; nothing was imported"};
                }
            }
            work.push_back({source->get(), &item});
        }
        for (const auto& name : (*source)->others)
            in.out.note("ignored: '" + name + "' in '" + path + "' belongs to no JSON of an image");
        sources.push_back(std::move(*source));
    }
    if (work.empty()) return failure{exit_code::not_found, "there are no images to import"};

    const auto rules = read_rules(in);
    const bool accept_changes = in.given.has("--accept-changes");
    auto workers = connections(in.server, std::min(*jobs, work.size()));
    if (!workers) return workers.error();
    auto present = read_present(in.server);
    if (!present) return present.error();
    transfer_target target(std::move(*present));
    for (const auto& [key, name] : by_key)
        target.reserve(key);
    transfer_report report;
    outcome<> done;
    {
        progress bar("importing", work.size(), !in.given.has("--json"));
        done = in_parallel(workers->size(), work.size(), [&](std::size_t worker, std::size_t item) {
            std::uint64_t bytes = 0;
            auto one =
                import_one((*workers)[worker], work[item], target, rules, accept_changes, report, bytes);
            bar.step(bytes);
            return one;
        });
    }
    return report.show_after(done, in.out, rules.dry_run);
}

constexpr std::array<command, 1> commands{{
    {"images import", "SOURCE...", "import folders, archives and JSON files of exported images",
     "SOURCE is a folder, a zip archive (FILE.zip) or a JSON file (*.json).\n"
     "Each image gets the key, title, file name, sub type, public flag, tags and, where they are\n"
     "new, the public link and the time of creation that its JSON states. Images that exist and\n"
     "are equal are left alone, so an import that was interrupted can be repeated. JSON files that\n"
     "the console or ThingsBoard has exported contain the picture and are taken, too.",
     "gallery-admin images import pictures --overwrite\n"
     "gallery-admin images import symbols.zip --dry-run",
     import_options, run_import},
}};

}  // namespace

std::span<const command> image_import_commands() {
    return commands;
}

}  // namespace gallery::admin
