// SPDX-License-Identifier: Apache-2.0
// The check of RocksDB's files against their checksums.
#include "checker.hpp"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/metadata.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace gallery::rocks {
namespace {

std::unique_ptr<rocksdb::FileChecksumGenerator> new_generator() {
    static const auto factory = rocksdb::GetFileChecksumGenCrc32cFactory();
    return factory->CreateFileChecksumGenerator({});
}

const std::string& checksum_name() {
    static const std::string name = new_generator()->Name();
    return name;
}

/// Why a file does not have this checksum; empty where it does.
std::string difference(const std::string& path, const std::string& checksum) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return std::string("it cannot be opened: ") + std::strerror(errno);
    const auto generator = new_generator();
    std::vector<char> buffer(1ULL << 20);
    ssize_t size = 0;
    while ((size = ::read(file, buffer.data(), buffer.size())) > 0)
        generator->Update(buffer.data(), static_cast<std::size_t>(size));
    const int number = errno;
    ::close(file);
    if (size < 0) return std::string("it cannot be read: ") + std::strerror(number);
    generator->Finalize();
    return generator->GetChecksum() == checksum ? "" : "its checksum differs";
}

}  // namespace

result<void> checker::check_files() {
    std::vector<rocksdb::LiveFileStorageInfo> files;
    rocksdb::LiveFilesStorageInfoOptions how;
    how.include_checksum_info = true;
    how.wal_size_for_flush = ~std::uint64_t{0};  // never: a check writes nothing
    auto& db = engine_.db();
    if (const auto kept = db.DisableFileDeletions(); !kept.ok()) {
        if (kept.IsNotSupported()) return {};  // open for reading only
        return to_error(kept, "checking the files");
    }
    const auto listed = db.GetLiveFilesStorageInfo(how, &files);
    for (const auto& file : files) {
        if (!listed.ok()) break;
        if (file.file_type != rocksdb::kTableFile && file.file_type != rocksdb::kBlobFile) continue;
        const std::string path = file.directory + "/" + file.relative_filename;
        std::string wrong;
        if (file.file_checksum_func_name == checksum_name())
            wrong = difference(path, file.file_checksum);
        else if (file.file_type == rocksdb::kTableFile)
            // Written by a version that recorded no checksums of files: tables have one for each block.
            if (const auto sound =
                    rocksdb::VerifySstFileChecksum(db.GetOptions(), rocksdb::EnvOptions(),
                                                   engine::read_options(engine::reach::disk_aside), path);
                !sound.ok())
                wrong = sound.ToString();
        if (!wrong.empty())
            problem("RocksDB's file " + file.relative_filename + " is damaged (" + wrong +
                    "). Restore the store from a backup.");
    }
    db.EnableFileDeletions(false).PermitUncheckedError();
    if (!listed.ok()) return to_error(listed, "checking the files");
    return {};
}

}  // namespace gallery::rocks
