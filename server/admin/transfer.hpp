// SPDX-License-Identifier: Apache-2.0
/// Moving many images: several at a time, with a progress bar, and a report of what became of each.
#pragma once

#include "admin/image_document.hpp"
#include "admin/image_selection.hpp"
#include "admin/session.hpp"
#include "admin/status_line.hpp"

#include <gallery/mutex.hpp>

#include <boost/json/object.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gallery::admin {

inline constexpr std::array<option, 1> jobs_options{{
    {"--jobs", "N", "how many images at a time, 1 to 32; default: 4"},
}};
/// Of commands that write into the gallery.
inline constexpr std::array<option, 2> bring_options{{
    {"--overwrite", "", "change images that exist and differ; else they are only reported"},
    {"--dry-run", "", "report what would be done, and change nothing"},
}};

/// The value of --jobs. Failure: usage.
outcome<std::size_t> read_jobs(const session& in);

/// A bar on standard error, where that is a terminal. Any thread.
class progress {
public:
    /// @p total: empty where it is known only at the end. @p is_shown: not for programs.
    progress(std::string what, std::optional<std::size_t> total, bool is_shown);

    void step(std::uint64_t bytes) GALLERY_EXCLUDES(mutex_);

private:
    using clock = std::chrono::steady_clock;
    const std::string what_;
    const std::optional<std::size_t> total_;
    const clock::time_point begun_ = clock::now();
    mutex mutex_;
    status_line line_ GALLERY_GUARDED_BY(mutex_);
    std::size_t done_ GALLERY_GUARDED_BY(mutex_) = 0;
    std::uint64_t bytes_ GALLERY_GUARDED_BY(mutex_) = 0;
};

/// "[=====>    ]  1234/5000  12.3 MB/s", for @p seconds since the beginning; "1234  12.3 MB/s" without a
/// total.
std::string transfer_bar(std::size_t done, std::optional<std::size_t> total, std::uint64_t bytes,
                         double seconds);

/// Calls @p work with (worker, item) for each item below @p count, on as many threads as there are workers,
/// in order. After a failure no further item is begun, and the failure is returned.
outcome<> in_parallel(std::size_t workers, std::size_t count,
                      const std::function<outcome<>(std::size_t, std::size_t)>& work);

/// One connection for each worker, logged in. Failures: those of the login.
outcome<std::vector<server_api>> connections(server_api& server, std::size_t count);

/// Concerns one image only, so that others may go on.
bool is_of_one_image(const failure& what) noexcept;

/// What became of the images. Any thread.
class transfer_report {
public:
    enum class fate : std::uint8_t { created, replaced, unchanged, differs };

    void add(fate what, const std::string& key, const std::vector<std::string>& differing = {})
        GALLERY_EXCLUDES(mutex_);
    /// A member that the gallery has otherwise, and that an import cannot change.
    void clash(const std::string& key, const std::string& member) GALLERY_EXCLUDES(mutex_);
    void failed(const std::string& key, const std::string& message) GALLERY_EXCLUDES(mutex_);
    /// What a comparison of the etags has found.
    void verified(std::size_t equal, std::vector<std::string> different, std::vector<std::string> missing)
        GALLERY_EXCLUDES(mutex_);

    /// Nothing was added yet.
    [[nodiscard]] bool is_empty() const GALLERY_EXCLUDES(mutex_);
    /// For programs. All lists are sorted by key.
    [[nodiscard]] boost::json::object as_json() const GALLERY_EXCLUDES(mutex_);
    /// Shows the report. @p what: "imported", or what a dry run would do. Failure: refused, where not all
    /// images are in the gallery as they are at their source. A dry run has no such failure, except by a
    /// comparison.
    outcome<> show(const printer& out, bool dry_run) const GALLERY_EXCLUDES(mutex_);
    /// The same after a run that ended with @p done: the report of what was done until a failure is shown,
    /// too, and the failure is returned.
    outcome<> show_after(const outcome<>& done, const printer& out, bool dry_run) const
        GALLERY_EXCLUDES(mutex_);

private:
    struct comparison {
        std::size_t equal = 0;
        std::vector<std::string> different;
        std::vector<std::string> missing;
    };
    mutable mutex mutex_;
    std::map<std::string, std::vector<std::string>> created_ GALLERY_GUARDED_BY(mutex_);
    std::map<std::string, std::vector<std::string>> replaced_ GALLERY_GUARDED_BY(mutex_);
    std::map<std::string, std::vector<std::string>> differ_ GALLERY_GUARDED_BY(mutex_);
    std::map<std::string, std::vector<std::string>> clashes_ GALLERY_GUARDED_BY(mutex_);
    std::map<std::string, std::string> failed_ GALLERY_GUARDED_BY(mutex_);
    std::size_t unchanged_ GALLERY_GUARDED_BY(mutex_) = 0;
    std::optional<comparison> comparison_ GALLERY_GUARDED_BY(mutex_);
};

/// The images of the gallery by key.
using present_images = std::map<std::string, image_document>;

/// Those of the logged-in account that are selected.
outcome<present_images> read_images(server_api& server, const image_selection& wanted);
/// All of the logged-in account's own images.
outcome<present_images> read_present(server_api& server);

/// The images of the gallery as they were when a command began, and the keys that it gives to new ones. Any
/// thread.
class transfer_target {
public:
    explicit transfer_target(present_images present) : present_(std::move(present)) {}

    [[nodiscard]] const present_images& present() const noexcept { return present_; }
    /// No new image gets this key, because another one will have it.
    void reserve(const std::string& key) GALLERY_EXCLUDES(mutex_);
    /// The first key for a file name that is free as far as this command knows; another one each time.
    /// Precondition: images::check_name() holds.
    std::string new_key(const std::string& file_name) GALLERY_EXCLUDES(mutex_);

private:
    const present_images present_;
    mutex mutex_;
    std::set<std::string> given_ GALLERY_GUARDED_BY(mutex_);
    std::map<std::string, std::size_t> next_
        GALLERY_GUARDED_BY(mutex_);  ///< by file name: the next candidate
};

struct bring_rules {
    bool overwrite = false;
    bool dry_run = false;
};
bring_rules read_rules(const session& in);

/// Gives a picture in Base64.
using picture_source = std::function<outcome<std::string>()>;

/// Makes the gallery have @p wanted, as @p rules permit, and reports it. @p base64 is called at most once,
/// and only if the picture is sent or must be compared; it may complete @p wanted. Without a key, @p wanted
/// is the image with the same bytes and the same file name, or a new one under a key that is free. So it
/// makes no second image when it is repeated. An image that somebody else has made or changed since the
/// images of @p target were read is left as it is, and reported as failed.
/// Failure: one that concerns all images.
outcome<> bring(server_api& to, transfer_target& target, const image_document& wanted,
                const picture_source& base64, const bring_rules& rules, transfer_report& report);

/// Reads the gallery's images again, and compares the etags with @p wanted.
outcome<> compare_etags(server_api& server, const std::vector<image_document>& wanted,
                        transfer_report& report);

}  // namespace gallery::admin
