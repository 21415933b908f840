// SPDX-License-Identifier: Apache-2.0
/// Makes one store a copy of another, of any engine.
///
/// A copy consists of a comparing pass and of following. The pass scans the source and copies each item in
/// which the target differs; then it scans the target for items that the source does not have. The position
/// in the source's feed is noted before the first scan, and the changes since then are applied between the
/// pages, so nothing that is written meanwhile is missed, and the feed does not run out of the changes that
/// it keeps. After the pass the target is current whenever the feed is at its end. If changes were lost from
/// the feed, the pass begins again; because only differences are copied, that is cheap.
///
/// Each run begins with a comparing pass. A run that was interrupted at any moment is thereby continued: what
/// it has copied is equal and is not copied again. Everything that is applied twice changes nothing. Of which
/// store the target is a copy is stored in it (mark.hpp). A run is refused if that is not known to be the
/// source, or if the source was put back at an earlier state since the last run (starts.hpp), because it
/// would remove what only the target has. Neither does it remove what the source may have out of service
/// (absences.hpp).
///
/// The source is only read.
#pragma once

#include "mirror/document_sync.hpp"
#include "mirror/image_sync.hpp"
#include "mirror/mark.hpp"
#include "mirror/names.hpp"
#include "mirror/starts.hpp"
#include "mirror/work.hpp"

#include <gallery/change_feed.hpp>
#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/task.hpp>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gallery::mirror {

class copier {
public:
    /// Both stores outlive it. @p source_name is for people, and the same at each run.
    copier(storage_engine& source, storage_engine& target, std::string source_name, copy_options options);

    /// Reads the mark of the target, or makes one in an empty store, and begins the pass. @p any_source:
    /// continue although the mark is that of another source, or of another history of the source. Writes
    /// nothing to a target that is refused. Errors: already_exists for a target with other data, of another
    /// source or of another history; read_only; invalid_argument for a source that is an incomplete copy
    /// itself; those of the stores.
    task<result<void>> begin(bool any_source);

    /// Whether begin() has found an empty target.
    [[nodiscard]] bool is_new() const noexcept { return is_new_; }

    /// A target without a mark is accepted, whatever it contains, if it has this identity: the source has
    /// taken its place by a switch. Before begin(). A target that is marked so itself is accepted without
    /// this.
    void expect(std::string identity) { expected_identity_ = std::move(identity); }

    /// Instead of begin(), for a target that is equal to the source as of @p position: there is no pass, and
    /// following begins there. Errors: as begin().
    task<result<void>> begin_equal(revision position);

    /// Begins a pass that also reads and hashes the bodies of both stores. Call copy() then, and follow()
    /// until it returns reach::end. If changes were lost from the feed meanwhile, an ordinary pass takes its
    /// place, is_verified() is false, and the verification has to be begun again: what differs after lost
    /// changes proves nothing. Precondition: the pass is complete. Errors: those of the stores.
    task<result<void>> begin_verification();

    /// Whether the last pass was that of a verification, and has ended.
    [[nodiscard]] bool is_verified() const noexcept { return is_verified_; }
    /// What the verification has found to be different and has repaired, except what the source has changed
    /// meanwhile.
    [[nodiscard]] std::vector<std::string> differences() const { return work_.differences(); }

    enum class reach : std::uint8_t {
        end,     ///< every change is applied that was in the feed when it was read last
        behind,  ///< there are more; a source that is written all the time has no end
        gap,     ///< changes are missing, the pass has begun again, and copy() has to be called
    };

    /// Completes the pass, at once if it is complete. Returns reach::end, or reach::gap. Errors: unavailable
    /// when options.is_stopping() becomes true (is_stopped()), those of the stores. After an error copy() may
    /// be called again.
    task<result<reach>> copy();

    /// Applies some thousand changes, or all. Precondition: copy() has returned reach::end. Errors: as
    /// copy().
    task<result<reach>> follow();

    /// copy() and follow() until the feed is at its end, for a source without writes. Errors: as copy().
    task<result<void>> copy_all();

    /// Notes in the mark that the target is complete as of position(). Precondition: follow() has returned
    /// reach::end. @p accept_damage: also if there are items that the source cannot return or has out of
    /// service. @p condition: a part of the write, about another document of the target. Errors: corrupt if
    /// there are; unavailable if the pass is not complete, or the source was written since; version_conflict
    /// if the condition is not met; those of the stores.
    task<result<void>> complete(bool accept_damage, std::optional<document_write> condition);
    task<result<void>> complete(bool accept_damage) { return complete(accept_damage, std::nullopt); }

    /// After complete(), if the target is to follow again: the mark says so, and no server takes the target
    /// for a complete copy. Errors: as complete().
    task<result<void>> follow_again();

    [[nodiscard]] const mark& state() const noexcept { return mark_; }
    [[nodiscard]] revision position() const noexcept { return mark_.position; }
    [[nodiscard]] const figures& done() const noexcept { return work_.done; }
    [[nodiscard]] std::vector<std::string> problems() const { return work_.problems(); }
    [[nodiscard]] work& shared() noexcept { return work_; }

private:
    task<result<void>> check_source();
    task<result<void>> check_empty();
    /// Whether a target without a mark is that of expect(), or is marked as superseded by the source.
    task<result<bool>> is_expected();
    [[nodiscard]] result<void> check_same_source(const mark& stored) const;
    /// That the source has not been put back at a state before the one that the target contains.
    task<result<void>> check_history(mark stored);
    task<result<void>> read_starts();
    /// The changes after @p position are not contained in the pass.
    task<result<void>> start_pass(revision position);
    /// With the end of the feed as the position.
    task<result<void>> start_pass_at_end();
    task<result<void>> count();
    /// state() is @p next only if it is stored, so that a write that failed is done again.
    task<result<void>> store_mark(mark next, std::optional<document_write> condition);
    task<result<void>> store_mark(mark next) { return store_mark(std::move(next), std::nullopt); }
    /// That the mark is still the one of this copier. Before items are written: another process that has
    /// taken the target over may serve from it.
    task<result<void>> check_mark();
    task<result<void>> enter(stage next);
    /// Also notices another process that copies into the same target.
    task<result<void>> advance(std::string cursor);

    task<result<void>> pass();
    task<result<void>> copy_documents();
    task<result<void>> copy_images();
    task<result<void>> remove_surplus();
    task<result<void>> remove_surplus_documents();
    /// Of an item of the target: whether it is to be removed, because the source has erased it. Otherwise
    /// damage is noted if the source does not have it.
    task<result<bool>> is_surplus(image_name name);
    task<result<bool>> is_surplus(document_name name);
    /// Several at a time. @p is_erased as in image_sync::one().
    task<result<void>> sync_images(std::vector<image_name> names, bool is_erased);

    task<result<void>> apply(const change_batch& batch);
    /// Whether each was erased, by name.
    task<result<void>> apply_documents(const std::map<document_name, bool>& changed);

    work work_;
    image_sync images_;
    const std::string source_name_;
    std::string source_id_;
    std::vector<store_start> starts_;  ///< of the source
    bool is_new_ = false;
    std::string expected_identity_;  ///< of the target; empty if it is not known
    mark mark_;
    revision mark_rev_ = 0;
    bool is_verified_ = false;
    bool follows_versions_ = false;    ///< a pass has compared them; changes of the feed are applied
    std::string cursor_;               ///< of the scan within the stage
    std::uint64_t images_passed_ = 0;  ///< before the cursor, and their bytes
    std::uint64_t bytes_passed_ = 0;
};

}  // namespace gallery::mirror
