/// Compares what is stored in one family with what is stored in the others.
#pragma once

#include "engine.hpp"

#include <gallery/storage.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace gallery::rocks {

/// All of it is read at one moment, so writes may go on. Reads every body once, which takes as long as the
/// disk needs for all of them, and leaves the caches alone. Threads: one.
class checker {
public:
    explicit checker(const engine& db) : engine_(db), at_(db.snapshot()) {}

    result<check_report> run();

private:
    void problem(std::string text);
    result<void> count_records();
    result<void> check_index();
    result<void> find_missing_entries();
    result<void> check_lookups();
    result<void> find_missing_lookups();
    result<void> check_bodies();
    result<void> find_missing_bodies();
    result<void> check_counters();
    result<void> check_documents_and_changes();
    result<record_ptr> record_at(std::string_view key) const;
    result<record_ptr> record_with(image_id id) const;
    [[nodiscard]] engine::cursor all_of(family which) const;
    [[nodiscard]] static std::uint64_t bodies_of(const image_record& record) noexcept;

    const engine& engine_;
    const snapshot_ptr at_;
    check_report report_;
    std::map<std::string, std::uint64_t> counted_;  // by counter key
    std::uint64_t expected_bodies_ = 0;
    std::uint64_t expected_lookups_ = 0;
};

}  // namespace gallery::rocks
