// SPDX-License-Identifier: Apache-2.0
// gallery-admin images export
#include "admin/archive.hpp"
#include "admin/commands.hpp"
#include "admin/files.hpp"
#include "admin/image_files.hpp"
#include "admin/image_selection.hpp"
#include "admin/transfer.hpp"

#include <gallery/mutex.hpp>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
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

    /// A file that was left as it is, because it may be somebody's own.
    void keep(const std::string& path, const std::string& why) GALLERY_EXCLUDES(mutex_) {
        const lock_guard hold(mutex_);
        kept_.emplace(path, why);
    }
    void fail(const std::string& key, const std::string& message) GALLERY_EXCLUDES(mutex_) {
        const lock_guard hold(mutex_);
        failed_.emplace(key, message);
    }
    [[nodiscard]] std::map<std::string, std::string> kept() const GALLERY_EXCLUDES(mutex_) {
        const lock_guard hold(mutex_);
        return kept_;
    }
    [[nodiscard]] std::map<std::string, std::string> failed() const GALLERY_EXCLUDES(mutex_) {
        const lock_guard hold(mutex_);
        return failed_;
    }

private:
    mutable mutex mutex_;
    std::map<std::string, std::string> kept_ GALLERY_GUARDED_BY(mutex_);
    std::map<std::string, std::string> failed_ GALLERY_GUARDED_BY(mutex_);
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
        return failure{exit_code::refused, "the export of '" + listed.key + "': " + about.error().message};
    out.about = std::move(*about);
    auto picture = decode_picture(data_of(*got));
    if (!picture) return failure{exit_code::refused, "the export of '" + listed.key + "' has no picture"};
    out.picture = std::move(*picture);
    // The list has what exports leave out, and the export may be of a newer version.
    out.about.key = listed.key;
    out.about.created_time = listed.created_time;
    if (!out.about.tags) out.about.tags.emplace();
    out.about.etag = etag_of(out.picture);
    return std::optional(std::move(out));
}

bool exists(const std::string& path) {
    std::error_code failed;
    return fs::symlink_status(path, failed).type() != fs::file_type::not_found;
}

/// The content of a file that is no link.
std::optional<std::string> own_content(const std::string& path) {
    std::error_code failed;
    if (fs::is_symlink(path, failed) || failed) return std::nullopt;
    auto content = read_file(path);
    if (!content) return std::nullopt;
    return std::move(*content);
}

outcome<> write_if_changed(const std::string& path, const std::optional<std::string>& present,
                           std::string_view content, bool& is_changed) {
    if (present && *present == content) return {};
    is_changed = true;
    return write_file(path, content);
}

outcome<std::vector<std::string>> names_in(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code failed;
    for (fs::directory_iterator each(folder, failed), end; !failed && each != end; each.increment(failed))
        names.push_back(each->path().filename().string());
    if (failed) return failure{exit_code::output, "the folder '" + folder + "': " + failed.message()};
    return names;
}

/// What the JSON beside the picture @p name says, if an export has written it.
std::optional<image_document> exported_sidecar(const std::optional<std::string>& text,
                                               const std::string& name) {
    if (!text) return std::nullopt;
    json::error_code wrong;
    const auto value = json::parse(*text, wrong);
    const auto* const object = wrong ? nullptr : value.if_object();
    if (object == nullptr) return std::nullopt;
    auto about = read_document(*object);
    if (!about || about->key.empty() || about->etag.empty()) return std::nullopt;
    // Beside other keys than now the name may have been the other one.
    const bool is_its_name = picture_file_name(about->key) == name ||
                             picture_file_name(about->key, images::similar_keys::of(about->key)) == name;
    if (!is_its_name) return std::nullopt;
    return std::move(*about);
}

/// Writes the two files of an image, where they are not as they should be. Without @p overwrite only over
/// files as an export has left them. @p name: of the picture's file. @p bytes: of the picture, if it was
/// fetched.
outcome<> export_one(server_api& server, const image_document& listed, const std::string& folder,
                     const std::string& name, bool overwrite, figures& sums, std::uint64_t& bytes) {
    const auto path = folder + "/" + name;
    const auto sidecar = path + std::string(sidecar_ending);
    auto about = listed;
    if (!about.tags) about.tags.emplace();
    bool is_changed = false;
    const auto present = own_content(path);
    const auto present_etag = present ? etag_of(*present) : std::string();
    const auto present_sidecar = own_content(sidecar);
    const auto described = exported_sidecar(present_sidecar, name);
    if (!overwrite) {
        if (!described && exists(sidecar)) {
            sums.keep(sidecar, "it is not the JSON of this image");
            return {};
        }
        const bool is_as_exported = described && present && described->etag == present_etag;
        if (exists(path) && present_etag != listed.etag && !is_as_exported) {
            sums.keep(path, "it is not as an export has written it");
            return {};
        }
    }
    if (present_etag != listed.etag) {
        auto got = fetch(server, listed);
        if (!got) return got.error();
        if (!*got) {
            ++sums.gone;
            return {};
        }
        about = std::move((*got)->about);
        bytes = (*got)->picture.size();
        if (auto done = write_if_changed(path, present, (*got)->picture, is_changed); !done) return done;
    }
    // The JSON comes last: what was interrupted has no JSON, or one whose etag differs.
    if (auto done = write_if_changed(sidecar, present_sidecar, sidecar_text(about), is_changed); !done)
        return done;
    ++(is_changed ? sums.written : sums.unchanged);
    return {};
}

/// Removes the files of images that are not in @p kept; other files stay, and so do changed pictures.
outcome<std::size_t> prune(const std::string& folder, const std::set<std::string>& kept, figures& sums) {
    const auto names = names_in(folder);
    if (!names) return names.error();
    std::size_t removed = 0;
    std::error_code failed;
    for (const auto& name : *names) {
        if (!is_sidecar_name(name)) continue;
        const auto picture = name.substr(0, name.size() - sidecar_ending.size());
        if (kept.contains(picture)) continue;
        const auto described =
            exported_sidecar(own_content(folder + "/" + picture + std::string(sidecar_ending)), picture);
        if (!described) continue;
        const auto path = folder + "/" + picture;
        const auto content = own_content(path);
        if (exists(path) && (!content || etag_of(*content) != described->etag)) {
            sums.keep(path, "it is not as an export has written it");
            continue;
        }
        // The JSON comes last: an interrupted run leaves none without its picture's JSON.
        fs::remove(path, failed);
        if (!failed) fs::remove(folder + "/" + name, failed);
        if (failed) break;
        ++removed;
    }
    if (failed) return failure{exit_code::output, "the folder '" + folder + "': " + failed.message()};
    return removed;
}

constexpr auto export_options =
    join(join(selection_options, jobs_options),
         std::array<option, 3>{{
             {"--overwrite", "", "replace files that are not as an export has written them, and FILE.zip"},
             {"--prune", "", "remove the files of images that are not exported"},
             {"--yes", "", "with --prune: even if no images are exported"},
         }});

json::array pairs(const std::map<std::string, std::string>& from, std::string_view name) {
    json::array out;
    for (const auto& [first, message] : from)
        out.emplace_back(json::object{{name, first}, {"message", message}});
    return out;
}

/// Shows what was done. Failure: refused, if it was not done for all images.
outcome<> show_report(const session& in, const figures& sums, json::object report, std::string sentence) {
    const auto kept = sums.kept();
    const auto failed = sums.failed();
    for (const auto& [path, why] : kept)
        in.out.note("kept: '" + path + "': " + why);
    for (const auto& [key, why] : failed)
        in.out.note("failed: '" + key + "': " + why);
    report["kept"] = pairs(kept, "file");
    report["failed"] = pairs(failed, "key");
    if (!kept.empty()) sentence += ", " + std::to_string(kept.size()) + " kept";
    if (!failed.empty()) sentence += ", " + std::to_string(failed.size()) + " failed";
    in.out.done(sentence, report);
    if (kept.empty() && failed.empty()) return {};
    std::string problem;
    if (!failed.empty()) problem = std::to_string(failed.size()) + " images failed";
    if (!kept.empty()) {
        problem += (problem.empty() ? "" : ", and ") + std::to_string(kept.size()) +
                   " files were kept that are not as an export has written them; --overwrite replaces those "
                   "of exported images";
    }
    return failure{exit_code::refused, problem};
}

outcome<> run_export(session& in) {
    auto target = in.operand(0);
    const bool is_archive = is_archive_name(target);
    if (is_archive && in.given.has("--prune"))
        return usage("--prune is for folders: an archive has exactly the exported images");
    const auto jobs = read_jobs(in);
    if (!jobs) return jobs.error();
    const auto wanted = read_selection(in);
    if (!wanted) return wanted.error();
    const auto listed = read_images(in.server, *wanted);
    if (!listed) return listed.error();
    const auto& images = *listed;
    std::vector<const image_document*> in_order;
    std::vector<std::string_view> keys;
    for (const auto& [key, about] : images) {
        if (key.empty() || about.etag.empty())
            return failure{exit_code::unreachable, "the server's list is not one of images"};
        in_order.push_back(&about);
        keys.push_back(key);
    }
    const images::similar_keys similar(keys);
    std::set<std::string> files;
    for (const auto key : keys)
        files.insert(picture_file_name(key, similar));
    if (is_archive && images.empty()) return failure{exit_code::not_found, "there are no images to export"};
    const bool overwrite = in.given.has("--overwrite");
    if (is_archive && !overwrite && exists(target))
        return failure{exit_code::refused, "'" + target + "' exists; --overwrite replaces it"};
    if (images.empty() && in.given.has("--prune") && !in.given.has("--yes")) {
        return failure{exit_code::refused,
                       "there are no images to export, so --prune would remove all images from '" + target +
                           "'. Is it the right account, and the right filter? If so, confirm it with --yes"};
    }

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
    outcome<> done;
    {
        progress bar("exporting", in_order.size(), !in.given.has("--json"));
        done = in_parallel(
            workers->size(), in_order.size(), [&](std::size_t worker, std::size_t item) -> outcome<> {
                const auto& one = *in_order[item];
                std::uint64_t bytes = 0;
                auto exported = export_one((*workers)[worker], one, folder,
                                           picture_file_name(one.key, similar), overwrite, sums, bytes);
                bar.step(bytes);
                if (exported || !is_of_one_image(exported.error())) return exported;
                sums.fail(one.key, exported.error().message);
                return {};
            });
    }
    json::object report;
    report["target"] = target;
    if (is_archive) {
        if (!done) return done;
        const auto count = in_order.size() - sums.gone;
        // An archive is whole, or not there.
        if (const auto failed = sums.failed(); !failed.empty()) {
            return failure{exit_code::refused, "'" + target + "' was not written, because " +
                                                   std::to_string(failed.size()) + " images failed: '" +
                                                   failed.begin()->first + "': " + failed.begin()->second};
        }
        auto names = names_in(folder);
        if (!names) return names.error();
        if (auto made = write_archive(target, folder, std::move(*names), overwrite); !made) return made;
        report["images"] = count;
        return show_report(in, sums, report,
                           "exported " + std::to_string(count) + " images to '" + target + "'");
    }
    std::size_t removed = 0;
    if (done && in.given.has("--prune")) {
        const auto pruned = prune(folder, files, sums);
        if (pruned) {
            removed = *pruned;
        } else {
            done = pruned.error();
        }
    }
    if (!done && sums.written + sums.unchanged == 0 && sums.kept().empty() && sums.failed().empty())
        return done;
    report["images"] = sums.written + sums.unchanged;
    report["written"] = sums.written.load();
    report["unchanged"] = sums.unchanged.load();
    report["removed"] = removed;
    auto shown =
        show_report(in, sums, std::move(report),
                    "exported " + std::to_string(sums.written + sums.unchanged) + " images to '" + target +
                        "': " + std::to_string(sums.written) + " written, " + std::to_string(sums.unchanged) +
                        " unchanged, " + std::to_string(removed) + " removed");
    return done ? shown : done;
}

constexpr std::array<command, 1> commands{{
    {"images export", "DIR|FILE.zip", "write pictures and a JSON file for each into a folder or an archive",
     "A picture is in a file with its key as the name. 'pump.svg.json' beside 'pump.svg' has the\n"
     "title, the tags and the rest, one a line, so that a folder can be kept in git. Files that\n"
     "are up to date are left as they are, so an export that was interrupted can be repeated.\n"
     "Files that are not as an export has written them are kept, unless --overwrite is given.\n"
     "In names of files, characters that file systems do not take are percent-encoded, and so are\n"
     "capitals where keys differ only in case.",
     "gallery-admin images export pictures --prune\n"
     "gallery-admin images export symbols.zip --sub-type SCADA_SYMBOL --tag 'hall 3'",
     export_options, run_export},
}};

}  // namespace

std::span<const command> image_export_commands() {
    return commands;
}

}  // namespace gallery::admin
