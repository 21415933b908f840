// SPDX-License-Identifier: Apache-2.0
/// Space for small writes on a full disk.
#pragma once

#include <gallery/error.hpp>
#include <gallery/mutex.hpp>

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::file_store {

/// A folder of small files with preallocated blocks and inodes. On a full disk a small file is written into
/// one of them, which is then renamed into its place, so it requires neither a block nor an inode. An erasure
/// requires at most a block for a growing folder; a spare file is removed for it.
///
/// storage.hpp states which writes may use how much ("A full disk"). Records get half as much as documents: a
/// rename can wait, but a logout, which stores a document, cannot.
///
/// Thread-safe. All but size() may block.
class reserve {
public:
    static constexpr std::size_t spare_files = 256;
    static constexpr std::size_t spare_size = 4096;  ///< bytes; the largest file that can be written

    enum class part {
        quarter,  ///< for records
        half,     ///< for documents
    };

    /// @p root outlives this; @p folder is relative to it.
    reserve(int root, std::string folder) : root_(root), folder_(std::move(folder)) {}

    /// Takes over the spare files of earlier runs and adds files while there is space. Once.
    result<> open();

    /// Adds files. Returns whether the reserve is complete.
    bool refill();

    /// Writes a durable file under an unused path; its name is not durable yet. Error: no_space if the text
    /// is too large, or no spare file of @p which remains.
    result<> write_file(const std::string& path, std::string_view text, part which);

    /// Removes one spare file to free its space. False if there is none.
    bool release_one();

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    [[nodiscard]] std::string path_of(const std::string& name) const { return folder_ + '/' + name; }
    std::string take(std::size_t least_left);
    bool allocate(const std::string& name) GALLERY_REQUIRES(mutex_);

    int root_;
    std::string folder_;
    mutex mutex_;
    std::vector<std::string> names_ GALLERY_GUARDED_BY(mutex_);  ///< of the spare files
    std::atomic<std::size_t> size_ = 0;
};

}  // namespace gallery::file_store
