// SPDX-License-Identifier: Apache-2.0
#include "admin/transfer.hpp"

#include "images/keys.hpp"

#include <gallery/media_type.hpp>
#include <gallery/sub_type.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <optional>
#include <thread>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr std::size_t most_jobs = 32;
constexpr std::size_t bar_width = 30;

std::string count_of(std::size_t number, std::string_view what) {
    return std::to_string(number) + " " + std::string(what);
}

json::array keys_of(const std::map<std::string, std::vector<std::string>>& from) {
    json::array out;
    for (const auto& [key, members] : from)
        out.emplace_back(key);
    return out;
}

json::array keys_and_members(const std::map<std::string, std::vector<std::string>>& from) {
    json::array out;
    for (const auto& [key, members] : from) {
        json::object one;
        one["key"] = key;
        one["members"] = json::array(members.begin(), members.end());
        out.emplace_back(std::move(one));
    }
    return out;
}

}  // namespace

outcome<std::size_t> read_jobs(const session& in) {
    constexpr std::size_t default_jobs = 4;
    const auto text = in.given.value("--jobs");
    if (!text) return default_jobs;
    const auto number = whole_number(*text, 1, most_jobs);
    if (!number) return usage("the value of --jobs must be a number from 1 to 32");
    return *number;
}

std::string transfer_bar(std::size_t done, std::optional<std::size_t> total, std::uint64_t bytes,
                         double seconds) {
    std::string out;
    if (total) {
        const auto filled = *total == 0 ? bar_width : std::min(bar_width, bar_width * done / *total);
        out = "[" + std::string(filled, '=');
        if (filled < bar_width) out += ">" + std::string(bar_width - filled - 1, ' ');
        out += "]  ";
    }
    out += std::to_string(done);
    if (total) out += "/" + std::to_string(*total);
    if (seconds > 0 && bytes > 0) {
        std::array<char, 32> rate{};
        std::snprintf(rate.data(), rate.size(), "  %.1f MB/s", static_cast<double>(bytes) / seconds / 1e6);
        out += rate.data();
    }
    return out;
}

progress::progress(std::string what, std::optional<std::size_t> total, bool is_shown)
    : what_(std::move(what)), total_(total), line_(is_shown) {}

void progress::step(std::uint64_t bytes) {
    const lock_guard hold(mutex_);
    ++done_;
    bytes_ += bytes;
    if (!line_.is_shown() || (!line_.is_due() && done_ != total_)) return;
    const auto seconds = std::chrono::duration<double>(clock::now() - begun_).count();
    line_.draw(what_ + ' ' + transfer_bar(done_, total_, bytes_, seconds));
}

outcome<> in_parallel(std::size_t workers, std::size_t count,
                      const std::function<outcome<>(std::size_t, std::size_t)>& work) {
    std::atomic<std::size_t> next{0};
    std::atomic<bool> stopped{false};
    std::vector<std::optional<failure>> failures(workers);
    const auto run = [&](std::size_t worker) {
        while (!stopped) {
            const auto item = next++;
            if (item >= count) return;
            if (auto done = work(worker, item); !done) {
                failures[worker] = done.error();
                stopped = true;
            }
        }
    };
    std::vector<std::thread> threads;
    for (std::size_t worker = 1; worker < std::min(workers, count); ++worker)
        threads.emplace_back(run, worker);
    run(0);
    for (auto& one : threads)
        one.join();
    for (auto& one : failures) {
        if (one) return std::move(*one);
    }
    return {};
}

outcome<std::vector<server_api>> connections(server_api& server, std::size_t count) {
    std::vector<server_api> out;
    out.reserve(count);
    while (out.size() < count) {
        auto one = server.for_many();
        if (!one) return one.error();
        out.push_back(std::move(*one));
    }
    return out;
}

bool is_of_one_image(const failure& what) noexcept {
    // Of these, a proxy's answer without ThingsBoard's JSON says the same.
    constexpr std::array<int, 10> statuses{400, 404, 405, 410, 412, 413, 414, 415, 422, 500};
    if (what.code == exit_code::refused || what.code == exit_code::not_found) return true;
    return std::find(statuses.begin(), statuses.end(), what.status) != statuses.end();
}

void transfer_report::add(fate what, const std::string& key, const std::vector<std::string>& differing) {
    const lock_guard hold(mutex_);
    switch (what) {
        case fate::created:
            created_[key];
            break;
        case fate::replaced:
            replaced_[key] = differing;
            break;
        case fate::differs:
            differ_[key] = differing;
            break;
        case fate::unchanged:
            ++unchanged_;
            break;
    }
}

void transfer_report::clash(const std::string& key, const std::string& member) {
    const lock_guard hold(mutex_);
    clashes_[key].push_back(member);
}

void transfer_report::failed(const std::string& key, const std::string& message) {
    const lock_guard hold(mutex_);
    failed_[key] = message;
}

void transfer_report::verified(std::size_t equal, std::vector<std::string> different,
                               std::vector<std::string> missing) {
    const lock_guard hold(mutex_);
    comparison_ = {equal, std::move(different), std::move(missing)};
}

bool transfer_report::is_empty() const {
    const lock_guard hold(mutex_);
    return created_.empty() && replaced_.empty() && differ_.empty() && clashes_.empty() && failed_.empty() &&
           unchanged_ == 0 && !comparison_;
}

json::object transfer_report::as_json() const {
    const lock_guard hold(mutex_);
    json::object out;
    out["created"] = keys_of(created_);
    out["replaced"] = keys_and_members(replaced_);
    out["unchanged"] = unchanged_;
    out["differ"] = keys_and_members(differ_);
    out["clashes"] = keys_and_members(clashes_);
    json::array failed;
    for (const auto& [key, message] : failed_)
        failed.emplace_back(json::object{{"key", key}, {"message", message}});
    out["failed"] = std::move(failed);
    if (comparison_) {
        json::object found;
        found["equal"] = comparison_->equal;
        found["different"] = json::array(comparison_->different.begin(), comparison_->different.end());
        found["missing"] = json::array(comparison_->missing.begin(), comparison_->missing.end());
        out["verified"] = std::move(found);
    }
    return out;
}

outcome<> transfer_report::show(const printer& out, bool dry_run) const {
    const auto report = as_json();
    const lock_guard hold(mutex_);
    for (const auto& [key, members] : differ_)
        out.note("differs: '" + key + "': " + joined(members));
    for (const auto& [key, members] : clashes_)
        out.note("clash: '" + key + "': " + joined(members) + " is another one in the gallery");
    for (const auto& [key, message] : failed_)
        out.note("failed: '" + key + "': " + message);
    std::string sentence = dry_run ? "would be created: " : "created: ";
    sentence += std::to_string(created_.size()) + (dry_run ? ", would be changed: " : ", changed: ") +
                std::to_string(replaced_.size()) + ", unchanged: " + std::to_string(unchanged_) +
                ", different: " + std::to_string(differ_.size()) +
                ", clashes: " + std::to_string(clashes_.size()) +
                ", failed: " + std::to_string(failed_.size());
    std::size_t unequal = 0;
    if (comparison_) {
        for (const auto& key : comparison_->different)
            out.note("not equal: '" + key + "'");
        for (const auto& key : comparison_->missing)
            out.note("missing: '" + key + "'");
        unequal = comparison_->different.size() + comparison_->missing.size();
        sentence += "; etags compared: " + std::to_string(comparison_->equal) + " equal, " +
                    std::to_string(comparison_->different.size()) + " different, " +
                    std::to_string(comparison_->missing.size()) + " missing";
    }
    out.done(sentence, report);
    std::vector<std::string> problems;
    if (!dry_run && !failed_.empty()) problems.push_back(count_of(failed_.size(), "failed"));
    if (!dry_run && !differ_.empty())
        problems.push_back(count_of(differ_.size(), "differ and were kept; --overwrite changes them"));
    if (!dry_run && !clashes_.empty()) problems.push_back(count_of(clashes_.size(), "have clashes"));
    if (unequal != 0) problems.push_back(count_of(unequal, "are not equal to their source"));
    if (problems.empty()) return {};
    return failure{exit_code::refused, "not all images are as at their source: " + joined(problems)};
}

outcome<> transfer_report::show_after(const outcome<>& done, const printer& out, bool dry_run) const {
    if (done) return show(out, dry_run);
    if (!is_empty()) (void)show(out, dry_run);
    return done;
}

outcome<present_images> read_present(server_api& server) {
    image_selection all;
    for (const auto& one : sub_types.entries)
        all.sub_types.emplace_back(one.name);
    return read_images(server, all);
}

void transfer_target::reserve(const std::string& key) {
    const lock_guard hold(mutex_);
    given_.insert(key);
}

std::string transfer_target::new_key(const std::string& file_name) {
    const lock_guard hold(mutex_);
    for (auto& n = next_[file_name];; ++n) {
        auto key = images::key_candidate(file_name, n);
        if (!present_.contains(key) && given_.insert(key).second) return key;
    }
}

outcome<present_images> read_images(server_api& server, const image_selection& wanted) {
    const auto list = list_images(server, wanted, "&sortProperty=createdTime&sortOrder=ASC");
    if (!list) return list.error();
    present_images out;
    for (const auto& one : *list) {
        auto about = read_document(one.get_object());
        if (!about) {
            return failure{exit_code::unreachable,
                           "the server's list is not one of images: " + about.error().message};
        }
        auto key = about->key;
        out.insert_or_assign(std::move(key), std::move(*about));
    }
    return out;
}

bring_rules read_rules(const session& in) {
    return {in.given.has("--overwrite"), in.given.has("--dry-run")};
}

namespace {

failure not_an_image(const failure& why) {
    return {exit_code::unreachable, "the server's response is not an image: " + why.message};
}

/// An image as it is now, and the condition of a change.
struct current_image {
    image_document about;
    std::string etag;
};
outcome<current_image> read_current(server_api& to, const std::string& key) {
    auto info = to.get_tagged(image_path("tenant", key) + "/info");
    if (!info) return info.error();
    auto about = read_document(info->value);
    if (!about) return not_an_image(about.error());
    return current_image{std::move(*about), std::move(info->etag)};
}

/// The image that an earlier import of a document without a key has made, or that is equal to it: the bytes
/// and the name of the file are the same. Of several the one with the fewest differences.
present_images::const_iterator find_same(const present_images& present, const image_document& wanted) {
    auto best = present.end();
    std::size_t fewest = 0;
    if (wanted.etag.empty()) return best;
    for (auto each = present.begin(); each != present.end(); ++each) {
        const auto& about = each->second;
        if (about.etag != wanted.etag || about.file_name != wanted.file_name) continue;
        const auto count = differences(wanted, about).size();
        if (best != present.end() && count >= fewest) continue;
        best = each;
        fewest = count;
    }
    return best;
}

/// Makes the gallery have one image.
class bringing {
public:
    bringing(server_api& to, transfer_target& target, const image_document& wanted,
             const picture_source& base64, const bring_rules& rules, transfer_report& report)
        : to_(to), target_(target), wanted_(wanted), base64_(base64), rules_(rules), report_(report) {}

    outcome<> run() {
        const auto& present = target_.present();
        if (!wanted_.key.empty()) {
            const auto found = present.find(wanted_.key);
            return found == present.end() ? create(wanted_.key) : change(found->second);
        }
        const auto found = find_same(present, wanted_);
        return found == present.end() ? create_without_key() : change(found->second);
    }

private:
    using fate = transfer_report::fate;

    /// Failure: @p why, if it concerns all images.
    outcome<> failed(const std::string& key, const failure& why) {
        if (!is_of_one_image(why)) return why;
        report_.failed(key, why.message);
        return {};
    }

    /// The members of @p present that an import would change. Fetches the picture if only it decides.
    outcome<std::vector<std::string>> compare(const image_document& present) {
        auto found = differences(wanted_, present);
        const bool has_other_etag = std::find(found.begin(), found.end(), "picture") != found.end();
        // The source may have the compressed form of a drawing, which the gallery stores decompressed.
        const bool may_be_compressed = has_other_etag && present.media_type == svg_media_type;
        if (picture_ || !(wanted_.etag.empty() || may_be_compressed)) return found;
        if (auto fetched = fetch(); !fetched) return fetched.error();
        return differences(wanted_, present);
    }

    outcome<> fetch() {
        if (picture_) return {};
        auto fetched = base64_();
        if (!fetched) return fetched.error();
        picture_ = std::move(*fetched);
        return {};
    }

    /// @p condition: as server_api::put_text().
    outcome<image_document> send(const std::string& key, const std::string& condition) {
        auto document = wanted_;
        document.key = key;
        const auto stored = to_.put_text("/api/image/import", import_text(document, *picture_), condition);
        if (!stored) return stored.error();
        auto about = read_document(*stored);
        if (!about) return not_an_image(about.error());
        return about;
    }

    void note_clashes(const std::string& key, const std::vector<std::string>& members) {
        for (const auto& member : members)
            report_.clash(key, member);
    }

    /// After the answer that somebody else has made or changed the image. It may be as wanted even so, for
    /// instance because an answer was lost and the request was repeated.
    bool is_as_wanted(const std::string& key) {
        const auto current = read_current(to_, key);
        return current && differences(wanted_, current->about).empty();
    }

    void changed_meanwhile(const std::string& key, bool is_new) {
        if (is_as_wanted(key)) {
            report_.add(fate::unchanged, key);
        } else {
            report_.failed(key, is_new ? "it has been created meanwhile, repeat the command"
                                       : "it has been changed meanwhile, repeat the command");
        }
    }

    outcome<> change(const image_document& present) {
        const auto& key = present.key;
        const auto differing = compare(present);
        if (!differing) return failed(key, differing.error());
        note_clashes(key, fixed_differences(wanted_, present));
        if (differing->empty()) {
            report_.add(fate::unchanged, key);
            return {};
        }
        if (!rules_.overwrite) {
            report_.add(fate::differs, key, *differing);
            return {};
        }
        if (rules_.dry_run) {
            report_.add(fate::replaced, key, *differing);
            return {};
        }
        if (auto fetched = fetch(); !fetched) return failed(key, fetched.error());
        // Only what the report describes is written over, so the image must be as it was listed. The list has
        // no etag that changes with the title, the tags and the public flag; the info has.
        const auto current = read_current(to_, key);
        if (!current) return failed(key, current.error());
        if (current->about != present) {
            changed_meanwhile(key, false);
            return {};
        }
        const auto stored = send(key, current->etag);
        if (!stored && stored.error().status == precondition_failed) {
            changed_meanwhile(key, false);
            return {};
        }
        if (!stored) return failed(key, stored.error());
        report_.add(fate::replaced, key, *differing);
        note_clashes(key, differences(wanted_, *stored));
        return {};
    }

    outcome<> create(const std::string& key) {
        if (rules_.dry_run) {
            report_.add(fate::created, key);
            return {};
        }
        if (auto fetched = fetch(); !fetched) return failed(key, fetched.error());
        const auto stored = send(key, there_is_none);
        if (!stored && stored.error().status == precondition_failed) {
            changed_meanwhile(key, true);
            return {};
        }
        if (!stored) return failed(key, stored.error());
        report_created(*stored);
        return {};
    }

    /// Chooses the key as the server would do. It does not leave this to the server, because a request that
    /// names no key makes another image each time that it is sent.
    outcome<> create_without_key() {
        const auto& name = wanted_.file_name;
        if (const auto checked = images::check_name(name, "file name"); !checked) {
            report_.failed(name, checked.error().message);
            return {};
        }
        // Others may take keys meanwhile.
        constexpr int most_attempts = 100;
        for (int attempt = 0; attempt < most_attempts; ++attempt) {
            const auto key = target_.new_key(name);
            if (rules_.dry_run) {
                report_.add(fate::created, key);
                return {};
            }
            if (auto fetched = fetch(); !fetched) return failed(name, fetched.error());
            const auto stored = send(key, there_is_none);
            if (stored) {
                report_created(*stored);
                return {};
            }
            if (stored.error().status != precondition_failed) return failed(name, stored.error());
            if (is_as_wanted(key)) {
                report_.add(fate::unchanged, key);
                return {};
            }
        }
        report_.failed(name, "others take the keys for this file name, repeat the command");
        return {};
    }

    void report_created(const image_document& stored) {
        report_.add(fate::created, stored.key);
        note_clashes(stored.key, differences(wanted_, stored));
        note_clashes(stored.key, fixed_differences(wanted_, stored));
    }

    static constexpr const char* there_is_none = "";

    server_api& to_;
    transfer_target& target_;
    const image_document& wanted_;
    const picture_source& base64_;
    const bring_rules& rules_;
    transfer_report& report_;
    std::optional<std::string> picture_;  ///< in Base64
};

}  // namespace

outcome<> bring(server_api& to, transfer_target& target, const image_document& wanted,
                const picture_source& base64, const bring_rules& rules, transfer_report& report) {
    return bringing(to, target, wanted, base64, rules, report).run();
}

outcome<> compare_etags(server_api& server, const std::vector<image_document>& wanted,
                        transfer_report& report) {
    const auto present = read_present(server);
    if (!present) return present.error();
    std::size_t equal = 0;
    std::vector<std::string> different;
    std::vector<std::string> missing;
    for (const auto& one : wanted) {
        const auto found = present->find(one.key);
        if (found == present->end()) {
            missing.push_back(one.key);
        } else if (found->second.etag != one.etag) {
            different.push_back(one.key);
        } else {
            ++equal;
        }
    }
    std::sort(different.begin(), different.end());
    std::sort(missing.begin(), missing.end());
    report.verified(equal, std::move(different), std::move(missing));
    return {};
}

}  // namespace gallery::admin
