// SPDX-License-Identifier: Apache-2.0
// gallery-admin images pull
#include "admin/commands.hpp"
#include "admin/dump_source.hpp"
#include "admin/pull_source.hpp"
#include "admin/transfer.hpp"

#include <gallery/encode.hpp>
#include <gallery/uuid.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

namespace gallery::admin {

namespace {

constexpr auto pull_options =
    join(join(bring_options, jobs_options),
         std::array<option, 3>{{
             {"--from", "URL", "required: the ThingsBoard server's address"},
             {"--system", "", "the system's images, as system administrator of both servers"},
             {"--verify", "", "afterwards compare the etags of both servers; with --dry-run only that"},
         }});

/// Both accounts must be of the kind that the command is about: an administrator of a tenant, or of the
/// system.
outcome<> check_account(server_api& server, bool is_system, const std::string& whose) {
    const auto me = server.me();
    if (!me) return me.error();
    const auto authority = text_of(*me, "authority");
    const std::string wanted = is_system ? "SYS_ADMIN" : "TENANT_ADMIN";
    if (authority == wanted) return {};
    auto message = "the account of the " + whose + " is a " + authority + ", and must be a " + wanted;
    message += is_system                  ? " with --system"
               : authority == "SYS_ADMIN" ? "; --system is for the system's images"
                                          : "";
    return failure{exit_code::not_permitted, message};
}

outcome<> pull(session& in) {
    if (!in.given.has("--from"))
        return usage("--from URL is required: the address of the ThingsBoard server");
    const auto jobs = read_jobs(in);
    if (!jobs) return jobs.error();
    const bool is_system = in.given.has("--system");
    auto from = thingsboard_of(in);
    if (!from) return from.error();
    // The gallery's password may be on standard input or be typed.
    if (auto done = check_account(in.server, is_system, "gallery"); !done) return done;
    if (auto done = check_account(*from, is_system, "source"); !done) return done;

    auto listed = list_thingsboard(*from);
    if (!listed) return listed.error();
    auto& wanted = *listed;
    auto present = read_present(in.server);
    if (!present) return present.error();
    transfer_target target(std::move(*present));
    const auto rules = read_rules(in);
    const auto count = std::max<std::size_t>(1, std::min(*jobs, wanted.size()));
    auto sources = connections(*from, count);
    if (!sources) return sources.error();
    auto targets = connections(in.server, count);
    if (!targets) return targets.error();

    transfer_report report;
    outcome<> done;
    {
        progress bar("pulling", wanted.size(), !in.given.has("--json"));
        done = in_parallel(count, wanted.size(), [&](std::size_t worker, std::size_t item) {
            auto& one = wanted[item];
            std::uint64_t bytes = 0;
            const auto fetch = [&]() -> outcome<std::string> {
                auto picture = fetch_thingsboard((*sources)[worker], is_system, one);
                if (picture) bytes = picture->size() / 4 * 3;
                return picture;
            };
            auto brought = bring((*targets)[worker], target, one, fetch, rules, report);
            bar.step(bytes);
            return brought;
        });
    }
    if (done && in.given.has("--verify")) done = compare_etags(in.server, wanted, report);
    return report.show_after(done, in.out, rules.dry_run);
}

constexpr auto dump_options =
    join(join(bring_options, jobs_options),
         std::array<option, 3>{{
             {"--tenant", "ID", "the tenant's UUID in ThingsBoard; default: the own tenant's"},
             {"--system", "", "the system's images, as system administrator"},
             {"--verify", "", "afterwards compare the etags with the dump; with --dry-run only that"},
         }});

outcome<std::string> wanted_tenant(session& in, bool is_system) {
    if (is_system) return to_string(system_tenant);
    const auto named = in.given.value("--tenant");
    if (!named) {
        const auto me = in.server.me();
        if (!me) return me.error();
        return id_of(*me, "tenantId");
    }
    const auto id = parse_uuid(*named);
    if (!id) return usage("the value of --tenant must be a UUID");
    return to_string(*id);
}

outcome<> pull_dump(session& in) {
    const auto jobs = read_jobs(in);
    if (!jobs) return jobs.error();
    const bool is_system = in.given.has("--system");
    if (is_system && in.given.has("--tenant")) return usage("--system and --tenant cannot be used together");
    if (auto done = check_account(in.server, is_system, "gallery"); !done) return done;
    const auto tenant = wanted_tenant(in, is_system);
    if (!tenant) return tenant.error();
    auto present = read_present(in.server);
    if (!present) return present.error();
    transfer_target target(std::move(*present));
    auto workers = connections(in.server, *jobs);
    if (!workers) return workers.error();

    const auto rules = read_rules(in);
    transfer_report report;
    std::vector<image_document> wanted;
    std::map<std::string, std::size_t> others;
    // The dump is read once, and its pictures are in memory only until the next of these is full.
    constexpr std::size_t most_at_once = 64;
    constexpr std::size_t most_bytes_at_once = 64U << 20U;
    std::vector<dumped_image> some;
    std::size_t bytes = 0;
    // How many there are is known when the dump has been read.
    std::optional<progress> bar;
    bar.emplace("pulling", std::nullopt, !in.given.has("--json"));
    const auto bring_some = [&]() -> outcome<> {
        auto done = in_parallel(workers->size(), some.size(), [&](std::size_t worker, std::size_t item) {
            const auto& one = some[item];
            const auto picture = [&one]() -> outcome<std::string> { return base64_encode(one.picture); };
            auto brought = bring((*workers)[worker], target, one.about, picture, rules, report);
            bar->step(one.picture.size());
            return brought;
        });
        some.clear();
        bytes = 0;
        return done;
    };
    bool has_damaged = false;
    const auto take = [&](dumped_image one) -> outcome<> {
        if (one.tenant != *tenant) {
            ++others[one.tenant];
            return {};
        }
        if (!one.problem.empty()) {
            has_damaged = true;
            report.failed(one.about.key, one.problem);
            return {};
        }
        describe_as_stored(one.about, one.picture);
        wanted.push_back(one.about);
        bytes += one.picture.size();
        some.push_back(std::move(one));
        if (some.size() < most_at_once && bytes < most_bytes_at_once) return {};
        return bring_some();
    };
    auto done = read_dump(in.operand(0), *tenant, take);
    if (done) done = bring_some();
    bar.reset();
    if (done && wanted.empty() && !has_damaged) {
        std::string message = "the dump has no images of the tenant " + *tenant;
        for (const auto& [id, count] : others)
            message += (id == others.begin()->first ? "; it has these: " : ", ") + id + " (" +
                       std::to_string(count) + ")";
        return failure{exit_code::not_found, message};
    }
    if (done && in.given.has("--verify")) done = compare_etags(in.server, wanted, report);
    return report.show_after(done, in.out, rules.dry_run);
}

constexpr std::array<command, 2> commands{{
    {"images pull", "", "copy all images of a ThingsBoard tenant into the gallery",
     "Images and SCADA symbols keep key, title, file name, sub type, public flag, public link and\n"
     "time of creation. Images that exist and are equal are left alone, so a run that was\n"
     "interrupted can be repeated. The report lists images that differ, and clashes: an image whose\n"
     "public link is another image's here gets a new one.\n"
     "\n"
     "credentials of the ThingsBoard server: THINGSBOARD_USER and THINGSBOARD_PASSWORD, or\n"
     "THINGSBOARD_API_KEY, or THINGSBOARD_TOKEN (an access token). THINGSBOARD_CA names a file\n"
     "with trusted certificates.",
     "gallery-admin images pull --from https://thingsboard.example --dry-run\n"
     "gallery-admin images pull --from https://thingsboard.example --verify",
     pull_options, pull},
    {"images pull-dump", "FILE", "copy all images of a tenant from a dump of ThingsBoard's database",
     "FILE is made by pg_dump, as text or in the custom format, for which pg_restore must be\n"
     "installed; '-' is standard input. A tenant that was not adopted has another UUID in\n"
     "ThingsBoard, and --tenant names it. Otherwise as images pull.",
     "pg_dump --format=custom --table=resource --file=resource.dump thingsboard\n"
     "gallery-admin images pull-dump resource.dump --tenant 5b0c7a10-0000-11ee-8000-000000000001",
     dump_options, pull_dump},
}};

}  // namespace

std::span<const command> image_pull_commands() {
    return commands;
}

}  // namespace gallery::admin
