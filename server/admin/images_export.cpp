// SPDX-License-Identifier: Apache-2.0
// gallery-admin images export
#include "admin/archive.hpp"
#include "admin/commands.hpp"
#include "admin/files.hpp"
#include "admin/image_files.hpp"
#include "admin/image_selection.hpp"
#include "admin/transfer.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

namespace gallery::admin {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// Removed with all that is in it.
class temporary_folder {
public:
    explicit temporary_folder(const std::string& beside) : path_(beside + ".XXXXXX") {
        if (::mkdtemp(path_.data()) == nullptr) path_.clear();
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() {
        std::error_code ignored;
        if (!path_.empty()) fs::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

struct figures {
    std::atomic<std::size_t> written{0};
    std::atomic<std::size_t> unchanged{0};
    std::atomic<std::size_t> gone{0};
    std::atomic<std::uint64_t> bytes{0};
};

/// Empty where the image was deleted meanwhile.
struct fetched {
    image_document about;
    std::string picture;
};
outcome<std::optional<fetched>> fetch(server_api& server, const image_document& listed) {
    auto got = server.get_object(image_path("tenant", listed.key) + "/export");
    if (!got && got.error().code == exit_code::not_found) return std::optional<fetched>();
    if (!got) return got.error();
    fetched out;
    auto about = read_document(*got);
    if (!about)
        return failure{exit_code::server_fault,
                       "the export of '" + listed.key + "': " + about.error().message};
    out.about = std::move(*about);
    auto picture = decode_picture(data_of(*got));
    if (!picture)
        return failure{exit_code::server_fault, "the export of '" + listed.key + "' has no picture"};
    out.picture = std::move(*picture);
    // The list has what exports leave out, and the export may be of a newer version.
    out.about.key = listed.key;
    out.about.created_time = listed.created_time;
    if (!out.about.tags) out.about.tags.emplace();
    out.about.etag = etag_of(out.picture);
    return std::optional(std::move(out));
}

/// Whether the file has exactly this content already.
bool has_content(const std::string& path, std::string_view content) {
    std::error_code failed;
    if (fs::is_symlink(path, failed) || failed) return false;
    const auto present = read_file(path);
    return present && *present == content;
}

outcome<> write_if_changed(const std::string& path, std::string_view content, bool& is_changed) {
    if (has_content(path, content)) return {};
    is_changed = true;
    return write_file(path, content);
}

/// Writes the two files of an image, where they are not as they should be.
outcome<> export_one(server_api& server, const image_document& listed, const std::string& folder,
                     figures& sums) {
    const auto path = folder + "/" + picture_file_name(listed.key);
    auto about = listed;
    if (!about.tags) about.tags.emplace();
    bool is_changed = false;
    std::error_code failed;
    const bool is_link = fs::is_symlink(path, failed);
    const auto present = is_link ? outcome<std::string>(failure{}) : read_file(path);
    if (!present || etag_of(*present) != listed.etag) {
        auto got = fetch(server, listed);
        if (!got) return got.error();
        if (!*got) {
            ++sums.gone;
            return {};
        }
        about = std::move((*got)->about);
        sums.bytes += (*got)->picture.size();
        if (auto done = write_if_changed(path, (*got)->picture, is_changed); !done) return done;
    }
    // The JSON comes last: what was interrupted has no JSON, or one whose etag differs.
    if (auto done = write_if_changed(path + std::string(sidecar_ending), sidecar_text(about), is_changed);
        !done)
        return done;
    ++(is_changed ? sums.written : sums.unchanged);
    return {};
}

/// Removes the files of images that are not in @p kept; other files stay.
outcome<std::size_t> prune(const std::string& folder, const std::set<std::string>& kept) {
    std::size_t removed = 0;
    std::error_code failed;
    std::vector<std::string> names;
    for (fs::directory_iterator each(folder, failed), end; !failed && each != end; each.increment(failed))
        names.push_back(each->path().filename().string());
    for (const auto& name : names) {
        if (!is_sidecar_name(name)) continue;
        const auto picture = name.substr(0, name.size() - sidecar_ending.size());
        if (kept.contains(picture)) continue;
        const auto text = read_file(folder + "/" + name);
        json::error_code wrong;
        const auto value = text ? json::parse(*text, wrong) : json::value();
        const auto* const object = wrong ? nullptr : value.if_object();
        // Only what an export has written.
        if (object == nullptr || picture_file_name(text_of(*object, "resourceKey")) != picture ||
            text_of(*object, "etag").empty()) {
            continue;
        }
        if (!fs::remove(folder + "/" + name, failed)) break;
        fs::remove(folder + "/" + picture, failed);
        if (failed) break;
        ++removed;
    }
    if (failed) return failure{exit_code::output, "the folder '" + folder + "': " + failed.message()};
    return removed;
}

constexpr auto export_options =
    join(join(selection_options, jobs_options),
         std::array<option, 1>{{{"--prune", "", "remove the files of images that are not exported"}}});

outcome<> run_export(session& in) {
    auto target = in.operand(0);
    const bool is_archive = is_archive_name(target);
    if (is_archive && in.given.has("--prune"))
        return usage("--prune is for folders: an archive has exactly the exported images");
    const auto jobs = read_jobs(in);
    if (!jobs) return jobs.error();
    const auto wanted = read_selection(in);
    if (!wanted) return wanted.error();
    const auto list = list_images(in.server, *wanted, "&sortProperty=createdTime&sortOrder=ASC");
    if (!list) return list.error();
    std::map<std::string, image_document> images;
    for (const auto& one : *list) {
        auto about = read_document(one.get_object());
        if (!about || about->key.empty() || about->etag.empty())
            return failure{exit_code::unreachable, "the server's list is not one of images"};
        auto key = about->key;
        images.insert_or_assign(std::move(key), std::move(*about));
    }
    std::vector<const image_document*> in_order;
    std::set<std::string> files;
    for (const auto& [key, about] : images) {
        in_order.push_back(&about);
        files.insert(picture_file_name(key));
    }
    if (is_archive && images.empty()) return failure{exit_code::not_found, "there are no images to export"};

    std::optional<temporary_folder> temporary;
    auto folder = target;
    if (is_archive) {
        temporary.emplace(target);
        folder = temporary->path();
        if (folder.empty()) {
            return failure{exit_code::output, "there cannot be a temporary folder beside '" + target +
                                                  "': " + std::strerror(errno)};
        }
    } else {
        std::error_code failed;
        fs::create_directories(folder, failed);
        if (failed)
            return failure{exit_code::output,
                           "the folder '" + folder + "' cannot be made: " + failed.message()};
    }
    auto workers = connections(in.server, std::max<std::size_t>(1, std::min(*jobs, in_order.size())));
    if (!workers) return workers.error();
    figures sums;
    {
        progress bar("exporting", in_order.size(), !in.given.has("--json"));
        auto done = in_parallel(workers->size(), in_order.size(),
                                [&](std::size_t worker, std::size_t item) -> outcome<> {
                                    const auto before = sums.bytes.load();
                                    auto one = export_one((*workers)[worker], *in_order[item], folder, sums);
                                    bar.step(sums.bytes.load() - before);
                                    return one;
                                });
        if (!done) return done;
    }
    json::object report;
    report["target"] = target;
    report["images"] = in_order.size() - sums.gone;
    auto sentence = "exported " + std::to_string(in_order.size() - sums.gone) + " images to '" + target + "'";
    if (is_archive) {
        std::vector<std::string> names;
        for (const auto& each : fs::directory_iterator(folder))
            names.push_back(each.path().filename().string());
        if (auto done = write_archive(target, folder, std::move(names)); !done) return done;
    } else {
        std::size_t removed = 0;
        if (in.given.has("--prune")) {
            const auto pruned = prune(folder, files);
            if (!pruned) return pruned.error();
            removed = *pruned;
        }
        report["written"] = sums.written.load();
        report["unchanged"] = sums.unchanged.load();
        report["removed"] = removed;
        sentence += ": " + std::to_string(sums.written) + " written, " + std::to_string(sums.unchanged) +
                    " unchanged, " + std::to_string(removed) + " removed";
    }
    in.out.done(sentence, report);
    return {};
}

constexpr std::array<command, 1> commands{{
    {"images export", "DIR|FILE.zip", "write pictures and a JSON file for each into a folder or an archive",
     "A picture is in a file with its key as the name. 'pump.svg.json' beside 'pump.svg' has the\n"
     "title, the tags and the rest, one a line, so that a folder can be kept in git. Files that\n"
     "are up to date are left as they are, so an export that was interrupted can be repeated.\n"
     "Characters that file systems do not take are percent-encoded in names of files.",
     "gallery-admin images export pictures --prune\n"
     "gallery-admin images export symbols.zip --sub-type SCADA_SYMBOL --tag 'hall 3'",
     export_options, run_export},
}};

}  // namespace

std::span<const command> image_export_commands() {
    return commands;
}

}  // namespace gallery::admin
