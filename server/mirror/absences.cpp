// SPDX-License-Identifier: Apache-2.0
#include "mirror/absences.hpp"

#include <algorithm>
#include <utility>

namespace gallery::mirror {

namespace {

constexpr std::size_t changes_at_once = 1'000;

constexpr const char* unreported_text =
    "the engine of the source does not report whether it has entries out of service (entries_set_aside)";

}  // namespace

std::optional<std::uint64_t> entries_set_aside(const storage_engine& store) {
    for (const auto& one : store.statistics()) {
        if (one.name == entries_set_aside_name) return static_cast<std::uint64_t>(std::max(one.value, 0.0));
    }
    return std::nullopt;
}

void absences::begin_pass() {
    problem_.reset();
    read_to_ = 0;
    erased_images_.clear();
    erased_documents_.clear();
}

std::uint64_t absences::set_aside() const {
    const auto reported = entries_set_aside(source_).value_or(0);
    return reported - std::min(reported, disregarded_);
}

task<result<bool>> absences::are_all_erased() {
    if (entries_set_aside(source_)) co_return set_aside() == 0;
    if (!may_check_) problem_ = unreported_text;
    if (!problem_) {
        const auto checked = co_await source_.check();
        if (!checked) co_return checked.error();
        problem_ = checked->problems.empty() ? std::string() : checked->problems.front();
    }
    co_return problem_->empty();
}

task<result<bool>> absences::is_erased(image_name name) {
    const auto all = co_await are_all_erased();
    if (!all || *all) co_return all;
    if (auto read = co_await read_feed(); !read) co_return read.error();
    co_return erased_images_.contains(name);
}

task<result<bool>> absences::is_erased(document_name name) {
    const auto all = co_await are_all_erased();
    if (!all || *all) co_return all;
    if (auto read = co_await read_feed(); !read) co_return read.error();
    co_return erased_documents_.contains(name);
}

std::string absences::reason() const {
    if (problem_ == unreported_text) return unreported_text;
    if (problem_ && !problem_->empty()) return "a check of the source reports: " + *problem_;
    return "the source has entries out of service, of which it may be one";
}

task<result<void>> absences::read_feed() {
    for (;;) {
        const revision after = read_to_;
        const auto batch = co_await source_.feed().changes(after, changes_at_once);
        if (!batch) co_return batch.error();
        if (after != read_to_) continue;  // several images are copied at the same time, and one was faster
        add(*batch);
        if (batch->next <= after) co_return result<void>();
        read_to_ = batch->next;
    }
}

void absences::add(const change_batch& batch) {
    if (batch.gap) {  // later changes of these items may be lost
        erased_images_.clear();
        erased_documents_.clear();
    }
    for (const auto& one : batch.changes) {
        switch (one.what) {
            case change::kind::image_saved:
            case change::kind::image_updated:
                erased_images_.erase(image_name(one.tenant, one.key));
                break;
            case change::kind::image_erased:
                erased_images_.emplace(one.tenant, one.key);
                break;
            case change::kind::document_saved:
                erased_documents_.erase(document_name(one.document_kind, one.document_id));
                break;
            case change::kind::document_erased:
                erased_documents_.emplace(one.document_kind, one.document_id);
                break;
            case change::kind::version_kept:
            case change::kind::version_dropped:
                break;
        }
    }
}

}  // namespace gallery::mirror
