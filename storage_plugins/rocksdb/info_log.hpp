// SPDX-License-Identifier: Apache-2.0
/// RocksDB's own diary, db/LOG, written without RocksDB's file classes: those, where they are compiled with
/// assertions as in Debian, end the process at the second write after one that failed, and a diary meets
/// the full disk that everybody meets.
#pragma once

#include <rocksdb/env.h>

#include <memory>
#include <string>

namespace gallery::rocks {

/// Appends to @p folder/LOG; at 4 MiB that becomes LOG.old and a new one begins. Lines that cannot be
/// written are lost. Any thread may write.
std::shared_ptr<rocksdb::Logger> make_info_log(const std::string& folder);

}  // namespace gallery::rocks
