// SPDX-License-Identifier: Apache-2.0
/// Compares the contents of the column families with each other.
#pragma once

#include "body_files.hpp"
#include "engine.hpp"

#include <gallery/storage.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace gallery::rocks {

/// Everything is read at one snapshot, so writes may continue. Then RocksDB's files are compared with their
/// checksums. Reads every file of RocksDB and every body in it once, which takes as long as the disk needs
/// for all of them, and does not use the caches. Of bodies in files, the size is compared. Threads: one.
class checker {
public:
    checker(const engine& db, const body_files& files) : engine_(db), files_(files), at_(db.snapshot()) {}

    result<check_report> run();

private:
    void problem(std::string text);
    void count(const image_record& record);
    result<void> count_records();
    result<void> count_records_by_the_lists();
    result<void> check_index();
    result<void> find_missing_entries();
    result<void> check_lookups();
    result<bool> is_right_lookup(std::string_view key, std::string_view value);
    result<void> find_missing_lookups();
    result<void> check_kept();
    result<void> check_bodies();
    result<void> check_references(std::uint64_t& right);
    result<void> check_body_files();
    /// What is wrong with the file of a body; empty if nothing is. It may have been removed since the
    /// snapshot.
    result<std::string> fault_of(const body_file& file, revision content_rev, std::uint64_t size) const;
    result<void> find_missing_bodies();
    result<void> check_counters();
    result<void> check_usage();
    result<void> check_documents_and_changes();
    result<void> check_files();
    // Error: corrupt where the record is there and cannot be read; check_index() reports that.
    result<record_ptr> record_at(std::string_view key) const;
    result<record_ptr> record_with(image_id id) const;
    [[nodiscard]] engine::cursor all_of(family which) const;
    /// The record, current or kept, whose bytes have this id and content revision; null where there is none.
    result<record_ptr> owner_of_bytes(image_id id, revision content_rev) const;
    result<void> find_missing_bodies_of(const image_record& record, const std::string& name);
    /// Calls @p found with every readable kept version.
    result<void> for_each_kept(const std::function<result<void>(const kept_version&)>& found);
    [[nodiscard]] static std::string describe_version(const image_record& record);
    [[nodiscard]] static std::uint64_t bodies_of(const image_record& record) noexcept;

    const engine& engine_;
    const body_files& files_;
    const snapshot_ptr at_;
    check_report report_;
    std::map<std::string, std::uint64_t> counted_;  // by counter key
    std::map<tenant_id, tenant_usage> usage_;
    std::uint64_t expected_bodies_ = 0;
    std::uint64_t expected_lookups_ = 0;
    std::set<std::string, std::less<>> named_;  // record keys whose damage was reported
    bool records_end_early_ = false;            // an iterator over them does not reach the last one
};

}  // namespace gallery::rocks
