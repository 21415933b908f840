// SPDX-License-Identifier: Apache-2.0
#include "admin/copying.hpp"

#include "admin/closed_store.hpp"
#include "admin/progress_bar.hpp"
#include "mirror/comparison.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gallery::admin {

namespace {

struct copied {
    mirror::figures done;
    revision position = 0;
    std::vector<std::string> damage;
    std::optional<mirror::comparison> compared;

    [[nodiscard]] bool is_good(bool skips_damaged) const {
        return (skips_damaged || damage.empty()) && (!compared || compared->is_same());
    }
};

task<result<copied>> copy_all(mirror::copier& all, const copying& wanted, progress_bar& bar) {
    copied out;
    if (auto begun = co_await all.begin(wanted.any_source); !begun) co_return begun.error();
    if (auto done = co_await all.copy_all(); !done) co_return done.error();
    out.damage = all.problems();
    if (wanted.verify) {
        mirror::comparison_options how;
        const auto bytes = all.done().bytes_total;
        const auto total = all.done().images_total;
        how.progress = [&bar, total, bytes](std::uint64_t images) {
            const auto share = total == 0 ? 0.0 : static_cast<double>(images) / static_cast<double>(total);
            bar.show({images, total, static_cast<std::uint64_t>(share * static_cast<double>(bytes)), bytes});
        };
        auto compared = co_await mirror::compare(all.shared(), std::move(how));
        if (!compared) co_return compared.error();
        out.compared = std::move(*compared);
    }
    out.done = all.done();
    out.position = all.position();
    if (out.is_good(wanted.skip_damaged)) {
        if (auto ended = co_await all.complete(wanted.skip_damaged); !ended) co_return ended.error();
    }
    co_return out;
}

boost::json::array list(const std::vector<std::string>& texts) {
    boost::json::array out;
    for (const auto& text : texts)
        out.emplace_back(text);
    return out;
}

boost::json::object report_json(const copied& out, const copying& wanted, const std::string& from,
                                const std::string& to) {
    boost::json::object report;
    report["complete"] = out.is_good(wanted.skip_damaged);
    report["source"] = from;
    report["target"] = to;
    report["revision"] = out.position;
    report["images"] = out.done.images_total;
    report["copied"] = out.done.images_copied;
    report["bytesCopied"] = out.done.bytes_copied;
    report["updated"] = out.done.images_updated;
    report["erased"] = out.done.images_erased;
    report["keptVersionsCopied"] = out.done.versions_copied;
    report["keptVersionsDropped"] = out.done.versions_dropped;
    report["documentsWritten"] = out.done.documents_written;
    report["documentsErased"] = out.done.documents_erased;
    report["damaged"] = list(out.damage);
    if (!out.compared) return report;
    boost::json::object verified;
    verified["same"] = out.compared->is_same();
    verified["images"] = out.compared->images;
    verified["keptVersions"] = out.compared->kept_versions;
    verified["documents"] = out.compared->documents;
    verified["bodies"] = out.compared->bodies;
    verified["bytes"] = out.compared->bytes;
    verified["problems"] = list(out.compared->problems);
    verified["knownDamage"] = list(out.compared->known_damage);
    report["verified"] = std::move(verified);
    return report;
}

std::string number(std::uint64_t value, const char* what) {
    return std::to_string(value) + " " + what + (value == 1 ? "" : "s");
}

void print_text(const copied& out, const copying& wanted, const std::string& to) {
    for (const auto& text : out.damage)
        std::printf("damaged: %s\n", printable(text).c_str());
    if (out.compared) {
        for (const auto& text : out.compared->problems)
            std::printf("problem: %s\n", printable(text).c_str());
        for (const auto& text : out.compared->known_damage)
            std::printf("skipped: %s\n", printable(text).c_str());
    }
    const bool is_good = out.is_good(wanted.skip_damaged);
    if (wanted.quiet && is_good) return;
    std::printf("%s: %s copied (%llu bytes), %s updated, %s erased, %s and %s written\n", to.c_str(),
                number(out.done.images_copied, "image").c_str(),
                static_cast<unsigned long long>(out.done.bytes_copied),
                number(out.done.images_updated, "record").c_str(),
                number(out.done.images_erased, "image").c_str(),
                number(out.done.versions_copied, "kept version").c_str(),
                number(out.done.documents_written, "document").c_str());
    if (out.compared && out.compared->is_same()) {
        std::printf("verified: %s, %s and %s are the same in both stores\n",
                    number(out.compared->images, "image").c_str(),
                    number(out.compared->kept_versions, "kept version").c_str(),
                    number(out.compared->documents, "document").c_str());
    }
    if (is_good) {
        std::printf("the copy is complete, as of revision %llu of the source\n",
                    static_cast<unsigned long long>(out.position));
    } else {
        std::printf("the copy is not complete%s\n",
                    out.damage.empty()
                        ? "; run the command again"
                        : "; restore the damaged items, or run the command with --skip-damaged");
    }
}

failure failed_by(const error& e) {
    const bool is_refused = e.code == errc::already_exists || e.code == errc::invalid_argument;
    return failure{is_refused ? exit_code::refused : exit_code::unreachable, e.message};
}

}  // namespace

outcome<bool> run_copy(asio::io_context& context, const printer& out, const app::unprobed_store& source,
                       const app::unprobed_store& target, const copying& wanted) {
    progress_bar bar(!wanted.json && !wanted.quiet);
    mirror::copy_options how;
    how.at_once = wanted.at_once;
    how.report = [&bar](const mirror::figures& f) {
        bar.show({f.images_done, f.images_total, f.bytes_done, f.bytes_total});
    };
    mirror::copier all(*source.store, *target.store, source.name, std::move(how));
    const auto ended = run_on(context, copy_all(all, wanted, bar));
    bar.clear();
    if (!ended) return engine_failed();
    const auto& done = *ended;
    if (!done) return failed_by(done.error());
    if (wanted.json) {
        out.done({}, report_json(*done, wanted, source.name, target.name));
    } else {
        print_text(*done, wanted, target.name);
    }
    if (auto printed = printer::finish(); !printed) return printed.error();
    return done->is_good(wanted.skip_damaged);
}

}  // namespace gallery::admin
