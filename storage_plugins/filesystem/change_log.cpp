// SPDX-License-Identifier: Apache-2.0
#include "change_log.hpp"

#include "names.hpp"
#include "record_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

namespace gallery::file_store {
namespace {

constexpr std::string_view suffix = ".log";
constexpr std::uint64_t reserve_step = 256 * 1024;
constexpr std::uint64_t reserve_for_erasures = 64 * 1024;
constexpr std::uint64_t reserve_for_small_writes = 64 * 1024;
constexpr std::uint64_t block_unit = 512;  // of st_blocks
constexpr std::uint64_t typical_line = 1024;
constexpr std::size_t largest_log = std::size_t{1} << 30;

}  // namespace

result<change_log::found> change_log::read(kit::feed& target) {
    auto entries = list_folder(root_, folder_);
    if (!entries) return entries.error();
    found result_found;
    for (const auto& entry : *entries) {
        if (entry.name.starts_with(temporary_prefix)) {
            (void)remove_file(root_, folder_ + '/' + entry.name);
            continue;
        }
        const auto number = parse_number(entry.name.substr(0, entry.name.find('.')));
        if (number && entry.name.ends_with(suffix))
            files_.push_back({*number, entry.name, 0});
        else
            result_found.notes.push_back("ignored: " + folder_ + '/' + entry.name +
                                         " is not a log of changes");
    }
    std::sort(files_.begin(), files_.end(), [](const auto& a, const auto& b) { return a.after < b.after; });
    result_found.has_lost = files_.empty();
    for (auto& file : files_) {
        const bool is_first = &file == &files_.front();
        // A hole between two logs: one of them was taken away. They overlap where a new one could not be
        // used, and the one before went on.
        if (!is_first && file.after > last_) {
            result_found.has_lost = true;
            result_found.notes.push_back("the log of changes before " + path_of(file) + " is missing");
            target.clear_to(file.after);
        }
        if (is_first) target.begin_after(file.after);
        last_ = std::max(last_, file.after);
        if (auto done = read_one(file, &file == &files_.back(), target, result_found); !done)
            return done.error();
    }
    result_found.last = last_;
    return result_found;
}

result<> change_log::read_one(log_file& file, bool is_last, kit::feed& target, found& so_far) {
    const auto path = path_of(file);
    auto text = read_file(root_, path, largest_log);
    if (!text) return text.error();
    std::size_t begin = 0;
    std::size_t good_end = 0;
    bool damaged = false;
    for (bool first = true; begin < text->size(); first = false) {
        const auto end = text->find('\n', begin);
        const auto line = std::string_view(*text).substr(begin, end == std::string::npos ? end : end - begin);
        // Space reserved beyond the end reads as zeros on some file systems.
        if (line.find_first_not_of('\0') == std::string_view::npos && end == std::string::npos) break;
        const auto parsed = end == std::string::npos ? std::nullopt : parse_log_line(line);
        begin = end == std::string::npos ? text->size() : end + 1;
        if (!parsed) {
            damaged = true;
            continue;
        }
        if (parsed->header_after) {
            if (!first || *parsed->header_after != file.after) damaged = true;
            good_end = begin;
            continue;
        }
        if (parsed->entry.rev <= last_) continue;
        if (damaged) {  // whole lines behind a damaged one: what was in between is lost
            so_far.has_lost = true;
            so_far.notes.push_back("changes in " + path + " are damaged; readers will see a gap");
            target.clear_to(parsed->entry.rev - 1);
            damaged = false;
        }
        last_ = parsed->entry.rev;
        ++file.changes;
        target.append(parsed->entry);
        good_end = begin;
    }
    if (damaged && !is_last) {
        so_far.has_lost = true;
        so_far.notes.push_back("the end of " + path + " is damaged; readers will see a gap");
        target.clear_to(last_);
    }
    if (damaged && is_last)
        so_far.notes.push_back("removed the end of " + path + ", which was incomplete after a crash");
    if (is_last) size_ = good_end;
    return {};
}

result<> change_log::begin(revision after) {
    last_ = std::max(last_, after);
    const bool continues =
        !files_.empty() && size_ != 0 && (files_.back().changes < keep_ || files_.back().after == last_);
    if (continues) {
        auto done = use(files_.back(), size_);
        if (done) drop_old();
        return done;
    }
    const log_file fresh{last_, padded(last_) + std::string(suffix), 0};
    const auto header = to_log_header(fresh.after);
    auto begun = replace_file(root_, folder_, fresh.name, header);
    if (begun) begun = use(fresh, header.size());
    const auto is_same = [&](const auto& file) { return file.after == fresh.after; };
    if (!begun) {
        // Should it stay, read() takes it for what it is: a header, and nothing that the one before lacks.
        if (std::none_of(files_.begin(), files_.end(), is_same)) (void)remove_file(root_, path_of(fresh));
        // At a start on a full disk the last file is continued, as while the store is open.
        const bool is_start = current_.get() < 0 && !files_.empty() && size_ != 0;
        return is_start ? use(files_.back(), size_) : begun;
    }
    std::erase_if(files_, is_same);
    files_.push_back(fresh);
    drop_old();
    return {};
}

/// Appends go to @p file from now on, behind its first @p size bytes. Where this fails they go where they
/// went.
result<> change_log::use(const log_file& file, std::uint64_t size) {
    const auto path = path_of(file);
    unique_fd opened(::openat(root_, path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (opened.get() < 0) return failure("Opening " + path, errno);
    struct stat info {};
    if (::fstat(opened.get(), &info) != 0) return failure("Reading " + path, errno);
    // Not where it has the length already: that would give back the blocks behind it, which on a full disk
    // cannot be had again.
    const bool is_longer = static_cast<std::uint64_t>(info.st_size) != size;
    if (is_longer && ::ftruncate(opened.get(), static_cast<off_t>(size)) != 0)
        return failure("Shortening " + path, errno);
    if (auto synced = sync(opened.get(), path); !synced) return synced;
    current_ = std::move(opened);
    size_ = size;
    reserved_ = is_longer ? size : std::max(size, static_cast<std::uint64_t>(info.st_blocks) * block_unit);
    (void)make_room(0, room::image);
    return {};
}

bool change_log::make_room(std::size_t changes, room which) {
    const auto left_over = (which == room::image ? reserve_for_small_writes : 0) +
                           (which == room::erasure ? 0 : reserve_for_erasures);
    const auto wanted = size_ + changes * typical_line + left_over;
    // The file keeps its size; only blocks are set aside, so that an erasure on a full disk can be logged.
    while (reserved_ < wanted) {
        if (::fallocate(current_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(reserved_), reserve_step) ==
            0)
            reserved_ += reserve_step;
        else if (errno == ENOSPC || errno == EDQUOT)
            return false;
        else
            reserved_ = ~std::uint64_t{0};  // the file system has no such call: then there is no reserve
    }
    return true;
}

result<> change_log::append(const std::vector<change>& batch) {
    if (files_.back().changes >= keep_) {
        // If this fails, the old file is continued.
        auto begun = begin(last_);
        if (!begun && begun.error().code == errc::unavailable) return begun;
    }
    std::string text;
    for (const auto& entry : batch)
        text += to_log_line(entry);
    const auto path = path_of(files_.back());
    for (std::size_t done = 0; done < text.size();) {
        const auto written = ::pwrite(current_.get(), text.data() + done, text.size() - done,
                                      static_cast<off_t>(size_ + done));
        if (written < 0) {
            if (errno == EINTR) continue;
            auto why = failure("Writing to " + path, errno);
            // What stays behind would be taken for an end that a crash left half written.
            if (::ftruncate(current_.get(), static_cast<off_t>(size_)) != 0) why.code = errc::unavailable;
            reserved_ = size_;  // shortening gave the reserve back
            return why;
        }
        done += static_cast<std::size_t>(written);
    }
    if (::fdatasync(current_.get()) != 0) {
        // What is on the disk now is unknown, and asking again would not tell.
        auto why = failure("Synchronising " + path, errno);
        why.code = errc::unavailable;
        return why;
    }
    size_ += text.size();
    files_.back().changes += batch.size();
    last_ = batch.back().rev;
    return {};
}

void change_log::drop_old() {
    std::size_t newer = 0;
    for (std::size_t i = 1; i < files_.size(); ++i)
        newer += files_[i].changes;
    while (files_.size() > 1 && newer >= keep_) {
        if (!remove_file(root_, path_of(files_.front()))) return;
        newer -= files_[1].changes;
        files_.pop_front();
    }
}

}  // namespace gallery::file_store
