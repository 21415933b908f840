// SPDX-License-Identifier: Apache-2.0
#include "admin/archive.hpp"

#include "admin/files.hpp"
#include "admin/image_files.hpp"

#include <gallery/mutex.hpp>

#include <zip.h>

#include <algorithm>
#include <map>
#include <utility>

#include <sys/stat.h>

namespace gallery::admin {

namespace {

constexpr zip_uint64_t largest_archive = 64ULL << 30U;

struct zip_closer {
    /// Without writing.
    void operator()(zip_t* archive) const noexcept { zip_discard(archive); }
    void operator()(zip_file_t* file) const noexcept { zip_fclose(file); }
};
using zip_pointer = std::unique_ptr<zip_t, zip_closer>;

std::string text_of(zip_error_t* why) {
    return zip_error_strerror(why);
}

std::string text_of(int code) {
    zip_error_t why;
    zip_error_init_with_code(&why, code);
    std::string out = text_of(&why);
    zip_error_fini(&why);
    return out;
}

std::string quoted(std::string_view name) {
    return "'" + std::string(name) + "'";
}

class archive_source final : public import_source {
public:
    archive_source(std::string path, zip_pointer archive)
        : path_(std::move(path)), archive_(std::move(archive)) {}

    outcome<> read_directory(std::vector<std::string>& names) GALLERY_EXCLUDES(mutex_);
    outcome<std::string> read(const std::string& name) override GALLERY_EXCLUDES(mutex_);

private:
    struct entry {
        zip_uint64_t index = 0;
        zip_uint64_t size = 0;
    };

    [[nodiscard]] failure refuse(const std::string& why) const {
        return {exit_code::refused, "the archive '" + path_ + "' is refused: " + why};
    }

    const std::string path_;
    mutex mutex_;  // libzip is for one thread
    zip_pointer archive_ GALLERY_PT_GUARDED_BY(mutex_);
    std::map<std::string, entry, std::less<>> entries_;  // does not change after read_directory()
};

outcome<> archive_source::read_directory(std::vector<std::string>& names) {
    const lock_guard hold(mutex_);
    const auto count = zip_get_num_entries(archive_.get(), 0);
    zip_uint64_t packed = 0;
    zip_uint64_t unpacked = 0;
    for (zip_int64_t i = 0; i < count; ++i) {
        zip_stat_t about;
        if (zip_stat_index(archive_.get(), static_cast<zip_uint64_t>(i), ZIP_FL_ENC_GUESS, &about) != 0)
            return refuse("its entry " + std::to_string(i) + " cannot be read");
        constexpr zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
        if ((about.valid & needed) != needed)
            return refuse("its entry " + std::to_string(i) + " has no name or size");
        const std::string name = about.name;
        if (const auto wrong = wrong_in_archive(name))
            return refuse("the name " + quoted(name) + " in it " + *wrong);
        if (!entries_.emplace(name, entry{static_cast<zip_uint64_t>(i), about.size}).second)
            return refuse("it has two entries with the name " + quoted(name));
        if ((about.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && about.encryption_method != ZIP_EM_NONE)
            return refuse(quoted(name) + " in it is encrypted");
        if (about.size > largest_file)
            return refuse(quoted(name) + " in it expands to " + std::to_string(about.size) + " bytes");
        packed += about.comp_size;
        unpacked += about.size;
        if (unpacked > largest_archive) return refuse("it expands to more than 64 GiB");
        const auto file = name_in_path(name);
        // What other programs add.
        if (!file.empty() && file[0] != '.' && !name.starts_with("__MACOSX/")) names.push_back(name);
    }
    struct stat file {};
    if (::stat(path_.c_str(), &file) != 0 || packed > static_cast<zip_uint64_t>(file.st_size))
        return refuse("its entries overlap");
    return {};
}

outcome<std::string> archive_source::read(const std::string& name) {
    const auto found = entries_.find(name);
    if (found == entries_.end())
        return failure{exit_code::not_found, "there is no " + quoted(name) + " in '" + path_ + "'"};
    const auto damaged = [&](const std::string& why) {
        return refuse(quoted(name) + " in it is damaged: " + why);
    };
    const lock_guard hold(mutex_);
    const std::unique_ptr<zip_file_t, zip_closer> file(
        zip_fopen_index(archive_.get(), found->second.index, 0));
    if (!file) return damaged(text_of(zip_get_error(archive_.get())));
    // A byte more than stated, so that the end is read: the checksum is compared there.
    std::string content(found->second.size + 1, '\0');
    std::size_t at = 0;
    while (at < content.size()) {
        const auto got = zip_fread(file.get(), content.data() + at, content.size() - at);
        if (got < 0) return damaged(text_of(zip_file_get_error(file.get())));
        if (got == 0) break;
        at += static_cast<std::size_t>(got);
    }
    if (at != found->second.size) return damaged("its size is not as stated");
    content.resize(at);
    return content;
}

/// Pictures are compressed already, most of them.
bool is_worth_compressing(std::string_view name) noexcept {
    return name.ends_with(".json") || name.ends_with(".svg") || name.ends_with(".bmp") ||
           name.ends_with(".tif") || name.ends_with(".tiff");
}

}  // namespace

outcome<std::unique_ptr<import_source>> open_archive(const std::string& path) {
    int code = 0;
    // Compares the directory with what is in front of each entry.
    zip_pointer archive(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
    if (code == ZIP_ER_EXISTS)
        return failure{exit_code::refused,
                       "the archive '" + path + "' is refused: it has two entries with the same name"};
    if (!archive) {
        return failure{
            code == ZIP_ER_NOENT ? exit_code::not_found : exit_code::refused,
            "the archive '" + path + "' cannot be read, it may be damaged or incomplete: " + text_of(code)};
    }
    auto out = std::make_unique<archive_source>(path, std::move(archive));
    std::vector<std::string> names;
    if (auto read = out->read_directory(names); !read) return read.error();
    constexpr bool each_is_an_image = false;
    if (auto found = find_items(*out, std::move(names), each_is_an_image); !found) return found.error();
    return outcome<std::unique_ptr<import_source>>(std::move(out));
}

outcome<> write_archive(const std::string& path, const std::string& folder, std::vector<std::string> names,
                        bool overwrite) {
    std::sort(names.begin(), names.end());
    const auto failed = [&path](const std::string& why) {
        return failure{exit_code::output, "the archive '" + path + "' cannot be written: " + why};
    };
    int code = 0;
    zip_pointer archive(zip_open(path.c_str(), ZIP_CREATE | (overwrite ? ZIP_TRUNCATE : ZIP_EXCL), &code));
    if (!archive) return failed(text_of(code));
    for (const auto& name : names) {
        auto* const source = zip_source_file(archive.get(), (folder + "/" + name).c_str(), 0, -1);
        if (source == nullptr) return failed(text_of(zip_get_error(archive.get())));
        const auto index = zip_file_add(archive.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8);
        if (index < 0) {
            zip_source_free(source);
            return failed(text_of(zip_get_error(archive.get())));
        }
        const auto at = static_cast<zip_uint64_t>(index);
        const int method = is_worth_compressing(name) ? ZIP_CM_DEFLATE : ZIP_CM_STORE;
        // The first day that zip knows: an archive does not depend on when it was made.
        constexpr zip_uint16_t first_day = 1U << 5U | 1U;
        if (zip_set_file_compression(archive.get(), at, method, 0) != 0 ||
            zip_file_set_dostime(archive.get(), at, 0, first_day, 0) != 0) {
            return failed(text_of(zip_get_error(archive.get())));
        }
    }
    if (zip_close(archive.get()) != 0) return failed(text_of(zip_get_error(archive.get())));
    (void)archive.release();
    return {};
}

}  // namespace gallery::admin
