// SPDX-License-Identifier: Apache-2.0
#include "body_files.hpp"

#include "codec.hpp"

#include <gallery/uuid.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>

namespace gallery::rocks {

namespace files = kit::files;

namespace {

constexpr std::string_view top_folder = "bodies";
/// Removals share the synchronisation of their folder: so many, or those of this time.
constexpr std::size_t removals_together = 256;
constexpr std::chrono::seconds removal_pause{1};
constexpr std::size_t folder_digits = 12;
constexpr std::size_t number_digits = 16;

std::string hex(std::uint64_t number, std::size_t digits) {
    std::string text(digits, '0');
    for (auto at = text.rbegin(); at != text.rend(); ++at, number >>= 4)
        *at = "0123456789abcdef"[number & 15];
    return text;
}

std::optional<std::uint64_t> parse_hex(std::string_view text, std::size_t digits) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    if (text.size() != digits) return std::nullopt;
    const auto [stop, failure] = std::from_chars(text.data(), end, number, 16);
    if (failure != std::errc{} || stop != end || hex(number, digits) != text) return std::nullopt;
    return number;
}

std::string folder_of(std::uint64_t number) {
    return std::string(top_folder) + '/' + hex(number / body_files::folder_size, folder_digits);
}

std::string_view name_of(representation which) {
    return which == representation::original ? "original" : "preview";
}

/// The inverse of path_of(), for a name in the folder with this index.
std::optional<body_file> parse_name(std::string_view name, std::uint64_t folder) {
    constexpr std::size_t id_text = 36;
    constexpr std::size_t id_at = number_digits + 1;
    constexpr std::size_t which_at = id_at + id_text + 1;
    if (name.size() <= which_at || name[number_digits] != '-' || name[which_at - 1] != '-')
        return std::nullopt;
    const auto number = parse_hex(name.substr(0, number_digits), number_digits);
    const auto id = parse_uuid(name.substr(id_at, id_text));
    if (!number || *number / body_files::folder_size != folder || !id) return std::nullopt;
    body_file file{*number, image_id{*id}, representation::original};
    for (const auto which : {representation::original, representation::preview}) {
        file.which = which;
        if (body_files::path_of(file).ends_with(name)) return file;
    }
    return std::nullopt;
}

std::string encode_removal(const body_file& file) {
    std::string value(raw(file.id));
    value.push_back(static_cast<char>(file.which));
    return value;
}

std::optional<body_file> decode_removal(std::string_view key, std::string_view value) {
    if (key.size() != 9 || value.size() != id_size + 1 ||
        static_cast<unsigned char>(value.back()) > static_cast<unsigned char>(representation::preview))
        return std::nullopt;
    return body_file{read_big_endian(key.substr(1)), id_from<image_id>(value),
                     static_cast<representation>(value.back())};
}

/// The folders in bodies/, by their index. Empty if there is no such folder.
result<std::vector<std::pair<std::uint64_t, std::string>>> folders_in(int root) {
    std::vector<std::pair<std::uint64_t, std::string>> found;
    const auto entries = files::list_folder(root, std::string(top_folder));
    if (!entries && entries.error().code == errc::not_found) return found;
    if (!entries) return entries.error();
    for (const auto& entry : *entries)
        if (const auto index = parse_hex(entry.name, folder_digits); index && entry.is_folder)
            found.emplace_back(*index, std::string(top_folder) + '/' + entry.name);
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace

std::string body_files::path_of(const body_file& file) {
    std::string path = folder_of(file.number);
    path.append("/").append(hex(file.number, number_digits)).append("-").append(to_string(file.id));
    return path.append("-").append(name_of(file.which));
}

// ---- opening --------------------------------------------------------------------------------------

result<void> body_files::open(const std::string& folder, bool keeps_unknown) {
    auto root = files::open_folder(AT_FDCWD, folder);
    if (!root) return root.error();
    root_ = std::move(*root);
    const auto stored = engine_.number(files_watermark_key);
    if (!stored) return stored.error();
    watermark_ = *stored;
    if (auto exists = check_folder_exists(); !exists) return exists;
    if (engine_.writing().state != write_state::kind::ok) return {};
    if (auto done = complete_removals(); !done) return done;
    if (auto done = look_from_the_watermark(keeps_unknown); !done) return done;
    thread_ = std::thread([this] { run(); });
    return {};
}

/// Without the folder every large image would be missing, probably because a copy of the store left it out.
result<void> body_files::check_folder_exists() const {
    if (files::exists(root_.get(), std::string(top_folder))) return {};
    auto any = engine_.iterate_prefix(family::lookup, "f", engine::reach::disk_aside);
    any->SeekToFirst();
    if (!any->status().ok()) return to_error(any->status(), "looking for files of images");
    if (!any->Valid()) return {};
    return error{
        errc::corrupt,
        "The store lacks the folder " + std::string(top_folder) +
            ", which contains the bytes of large images. Restore it from a backup. To open the store "
            "without these bytes, create the folder. Nothing was changed."};
}

result<void> body_files::complete_removals() {
    std::vector<removal> left;
    auto at = engine_.iterate_prefix(family::lookup, "d", engine::reach::disk_aside);
    for (at->SeekToFirst(); at->Valid(); at->Next())
        if (const auto file = decode_removal(at.key(), at.value())) left.push_back({*file, true});
    if (!at->status().ok()) return to_error(at->status(), "looking for files to remove");
    auto unlinked = unlink(std::move(left));
    confirm(unlinked);
    return {};
}

result<void> body_files::look_from_the_watermark(bool keeps_unknown) {
    const auto folders = folders_in(root_.get());
    if (!folders) return folders.error();
    std::uint64_t begin = watermark_;
    std::vector<removal> unknown;
    for (const auto& [index, path] : *folders) {
        begin = std::max(begin, (index + 1) * folder_size);
        if (index < watermark_ / folder_size) continue;
        const auto entries = files::list_folder(root_.get(), path);
        if (!entries) return entries.error();
        for (const auto& entry : *entries) {
            const auto file = parse_name(entry.name, index);
            if (!file || file->number < watermark_) continue;  // check() reports files of other names
            const auto is_known = is_referred_to(*file);
            if (!is_known) return is_known.error();
            if (!*is_known) unknown.push_back({*file, false});
        }
    }
    begin = (begin + folder_size - 1) / folder_size * folder_size;
    bool is_settled = true;
    if (!unknown.empty() && keeps_unknown) {
        log_(log_level::warning, "rocksdb: " + std::to_string(unknown.size()) +
                                     " files of images belong to writes that the database has lost. They are "
                                     "kept; `gallery-admin verify` names them.");
    } else if (!unknown.empty()) {
        const auto count = unknown.size();
        std::set<std::string> touched;
        for (const auto& each : unknown)
            touched.insert(folder_of(each.file.number));
        const auto removed = unlink(std::move(unknown)).size();
        is_settled = removed == count;
        for (const auto& folder : touched)
            if (const auto synced = files::sync_folder(root_.get(), folder); !synced)
                return failed(synced.error(), true);
        log_(log_level::info, "rocksdb: removed " + std::to_string(removed) +
                                  " files of writes that a crash had interrupted.");
    }
    if (is_settled) watermark_ = begin;
    const lock_guard lock(mutex_);
    next_ = begin;
    stored_watermark_ = watermark_;
    // What could not be removed is looked at again by the next start.
    if (!is_settled) in_progress_.insert(watermark_);
    return {};
}

void body_files::put_watermark(rocksdb::WriteBatch& batch) const {
    batch.Put(engine_.handle(family::meta), slice(files_watermark_key), encode_number(watermark_));
}

result<bool> body_files::is_referred_to(const body_file& file) const {
    auto at = engine_.iterate_prefix(family::lookup, file_prefix(file.id), engine::reach::disk_aside);
    for (at->SeekToFirst(); at->Valid(); at->Next())
        if (decode_number(at.value()) == file.number) return true;
    if (!at->status().ok()) return to_error(at->status(), "looking for the image of a file");
    return false;
}

body_files::~body_files() {
    if (!thread_.joinable()) return;
    {
        const lock_guard lock(mutex_);
        stopped_ = true;
        changed_.notify_all();
    }
    thread_.join();
    rocksdb::WriteBatch batch;
    {
        const lock_guard lock(mutex_);
        watermark_ = settled_below();
    }
    put_watermark(batch);
    engine_.write_lazily(batch).PermitUncheckedError();  // else the next start looks at more files
}

// ---- writing --------------------------------------------------------------------------------------

error body_files::failed(error why, bool is_folder) {
    if (why.code == errc::not_found) why.code = errc::io_error;
    if (why.code != errc::unavailable) return why;
    // An unknown state of a new file is nobody's. One of a folder may hide that later files are not durable.
    why.code = errc::io_error;
    if (is_folder) engine_.stop_after(why.message);
    return why;
}

result<void> body_files::ensure_folder(const std::string& folder) {
    const lock_guard lock(folders_mutex_);
    if (durable_folders_.contains(folder)) return {};
    const std::string top(top_folder);
    if (!durable_folders_.contains(top)) {
        if (auto made = files::make_folder(root_.get(), top); !made) return failed(made.error(), false);
        if (auto synced = files::sync_folder(root_.get(), "."); !synced) return failed(synced.error(), true);
        durable_folders_.insert(top);
    }
    if (auto made = files::make_folder(root_.get(), folder); !made) {
        if (made.error().code == errc::not_found) durable_folders_.erase(top);
        return failed(made.error(), false);
    }
    if (auto synced = files::sync_folder(root_.get(), top); !synced) return failed(synced.error(), true);
    durable_folders_.insert(folder);
    return {};
}

result<void> body_files::synchronise_folder(const std::string& folder) {
    const lock_guard lock(rounds_mutex_);
    if (!next_round_) next_round_ = std::make_shared<round>();
    const auto mine = next_round_;
    mine->folders.insert(folder);
    while (!mine->has_ended) {
        if (is_synchronising_) {
            round_ended_.wait(rounds_mutex_);
            continue;
        }
        is_synchronising_ = true;
        next_round_.reset();
        result<void> outcome;
        {
            const unlock_guard unlocked(rounds_mutex_);
            for (const auto& each : mine->folders)
                if (auto synced = files::sync_folder(root_.get(), each); !synced) outcome = synced;
        }
        mine->outcome = outcome;
        mine->has_ended = true;
        is_synchronising_ = false;
        round_ended_.notify_all();
    }
    return mine->outcome;
}

result<body_files::draft> body_files::write(const image_id& id, representation which, const body& content) {
    if (auto refused = engine_.refuse_file(content.size())) return std::move(*refused);
    body_file file{0, id, which};
    {
        const lock_guard lock(mutex_);
        file.number = next_++;
        in_progress_.insert(file.number);
    }
    draft made(*this, file);  // removed if anything fails
    const auto folder = folder_of(file.number);
    const auto path = path_of(file);
    for (int attempt = 0;; ++attempt) {
        if (auto ensured = ensure_folder(folder); !ensured) return ensured.error();
        auto written = files::write_file(root_.get(), path, content);
        if (written) break;
        // An empty folder may have been removed.
        if (written.error().code != errc::not_found || attempt == 3) return failed(written.error(), false);
        const lock_guard lock(folders_mutex_);
        durable_folders_.erase(folder);
    }
    if (auto synced = synchronise_folder(folder); !synced) return failed(synced.error(), true);
    written_.fetch_add(1, std::memory_order_relaxed);
    return made;
}

void body_files::put_reference(rocksdb::WriteBatch& batch, const body_file& file, revision content_rev) {
    batch.Put(engine_.handle(family::lookup), file_key(file.id, content_rev, file.which),
              encode_number(file.number));
    std::uint64_t settled = 0;
    {
        const lock_guard lock(mutex_);
        settled = settled_below() / folder_size * folder_size;
        if (settled <= stored_watermark_) return;
        stored_watermark_ = settled;
    }
    batch.Put(engine_.handle(family::meta), slice(files_watermark_key), encode_number(settled));
}

void body_files::put_removal(rocksdb::WriteBatch& batch, const body_file& file, revision content_rev) const {
    auto* const lookup = engine_.handle(family::lookup);
    batch.Delete(lookup, file_key(file.id, content_rev, file.which));
    batch.Put(lookup, removal_key(file.number), encode_removal(file));
}

std::uint64_t body_files::settled_below() const {
    return in_progress_.empty() ? next_ : *in_progress_.begin();
}

void body_files::settle(const std::vector<std::uint64_t>& numbers) {
    const lock_guard lock(mutex_);
    for (const auto number : numbers)
        in_progress_.erase(number);
}

// ---- reading --------------------------------------------------------------------------------------

result<std::optional<body_file>> body_files::find(const image_id& id, revision content_rev,
                                                  representation which, engine::reach how,
                                                  const snapshot_ptr& at) const {
    rocksdb::PinnableSlice value;
    const auto status = engine_.get(family::lookup, file_key(id, content_rev, which), value, how, at);
    if (status.IsNotFound()) return std::optional<body_file>();
    if (!status.ok()) return to_error(status, "looking for the file of an image");
    const auto number = decode_number(view(value));
    if (!number)
        return error{errc::corrupt, "The entry for the file of the image " + to_string(id) +
                                        " cannot be read. Restore the store from a backup."};
    return std::optional<body_file>(body_file{*number, id, which});
}

result<files::unique_fd> body_files::open_to_read(const body_file& file) const {
    return files::open_to_read(root_.get(), path_of(file));
}

result<void> body_files::for_each(const std::function<result<void>(const body_file&, std::uint64_t)>& found,
                                  const std::function<void(const std::string&)>& unknown) const {
    std::uint64_t settled = watermark_;
    if (thread_.joinable()) {
        const lock_guard lock(mutex_);
        settled = settled_below();
    }
    const auto top = files::list_folder(root_.get(), std::string(top_folder));
    if (!top && top.error().code == errc::not_found) return {};
    if (!top) return top.error();
    for (const auto& folder : *top) {
        const std::string path = std::string(top_folder) + '/' + folder.name;
        const auto index = parse_hex(folder.name, folder_digits);
        if (!index || !folder.is_folder) {
            unknown(path);
            continue;
        }
        const auto entries = files::list_folder(root_.get(), path);
        if (!entries && entries.error().code == errc::not_found) continue;
        if (!entries) return entries.error();
        for (const auto& entry : *entries) {
            const auto file = parse_name(entry.name, *index);
            if (!file || !entry.is_file) {
                unknown(path + '/' + entry.name);
                continue;
            }
            if (file->number >= settled) continue;
            struct stat info {};
            if (::fstatat(root_.get(), path_of(*file).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
                if (errno == ENOENT) continue;
                return files::failure("Looking at " + path_of(*file), errno);
            }
            if (auto done = found(*file, static_cast<std::uint64_t>(info.st_size)); !done) return done;
        }
    }
    return {};
}

// ---- removing -------------------------------------------------------------------------------------

void body_files::discard(const body_file& file) noexcept {
    waiting_.fetch_add(1, std::memory_order_relaxed);
    const lock_guard lock(mutex_);
    removals_.push_back({file, false});
    changed_.notify_all();
}

void body_files::remove(const std::vector<body_file>& which) {
    if (which.empty()) return;
    waiting_.fetch_add(which.size(), std::memory_order_relaxed);
    const lock_guard lock(mutex_);
    for (const auto& file : which)
        removals_.push_back({file, true});
    changed_.notify_all();
}

std::vector<body_files::removal> body_files::unlink(std::vector<removal> which) {
    std::vector<removal> gone;
    gone.reserve(which.size());
    for (auto& each : which) {
        const auto path = path_of(each.file);
        const auto removed = files::remove_file(root_.get(), path);
        if (removed || removed.error().code == errc::not_found) {
            gone.push_back(each);
            continue;
        }
        if (!has_warned_.exchange(true))
            log_(log_level::warning, "rocksdb: " + removed.error().message +
                                         " The next start tries again. Further failures are not logged.");
    }
    return gone;
}

/// Makes the removals durable and deletes their entries.
void body_files::confirm(std::vector<removal>& unlinked) {
    if (unlinked.empty()) return;
    std::set<std::string> folders;
    for (const auto& each : unlinked)
        folders.insert(folder_of(each.file.number));
    std::set<std::string> unknown;
    for (const auto& folder : folders) {
        const auto synced = files::sync_folder(root_.get(), folder);
        if (synced || synced.error().code == errc::not_found) continue;
        static_cast<void>(failed(synced.error(), true));
        unknown.insert(folder);
    }
    rocksdb::WriteBatch batch;
    std::vector<std::uint64_t> numbers;
    for (const auto& each : unlinked) {
        if (unknown.contains(folder_of(each.file.number))) continue;
        if (each.has_entry)
            batch.Delete(engine_.handle(family::lookup), removal_key(each.file.number));
        else
            numbers.push_back(each.file.number);
    }
    // Entries that stay because the disk is full are deleted by the next start.
    if (batch.Count() != 0) engine_.write_lazily(batch).PermitUncheckedError();
    settle(numbers);
    removed_.fetch_add(unlinked.size(), std::memory_order_relaxed);
    unlinked.clear();
    remove_empty(folders);
}

/// Except the newest one, to which files are added.
void body_files::remove_empty(const std::set<std::string>& folders) {
    std::string newest;
    {
        const lock_guard lock(mutex_);
        newest = folder_of(next_);
    }
    const lock_guard lock(folders_mutex_);
    for (const auto& folder : folders)
        if (folder != newest && ::unlinkat(root_.get(), folder.c_str(), AT_REMOVEDIR) == 0)
            durable_folders_.erase(folder);
}

void body_files::run() {
    using clock = std::chrono::steady_clock;
    std::vector<removal> unlinked;
    auto due = clock::now();
    const lock_guard lock(mutex_);
    for (;;) {
        while (!stopped_ && removals_.empty() && (unlinked.empty() || clock::now() < due)) {
            if (unlinked.empty())
                changed_.wait(mutex_);
            else
                changed_.wait_until(mutex_, due);
        }
        auto which = std::exchange(removals_, {});
        const bool ends = stopped_ && which.empty();
        {
            const unlock_guard unlocked(mutex_);
            if (unlinked.empty()) due = clock::now() + removal_pause;
            waiting_.fetch_sub(which.size(), std::memory_order_relaxed);
            auto gone = unlink(std::move(which));
            unlinked.insert(unlinked.end(), gone.begin(), gone.end());
            if (ends || unlinked.size() >= removals_together || clock::now() >= due) confirm(unlinked);
        }
        if (ends) return;
    }
}

body_files::figures body_files::statistics() const {
    return {written_.load(std::memory_order_relaxed), removed_.load(std::memory_order_relaxed),
            waiting_.load(std::memory_order_relaxed)};
}

}  // namespace gallery::rocks
