// SPDX-License-Identifier: Apache-2.0
/// Makes one key of the target contain what it contains in the source.
///
/// The state of the source is copied, not its changes: the order of several changes of one image does not
/// matter, and applying twice changes nothing. The target's record is read before the source's, and each
/// write requires that the target's record is still the one that was read. A write that overlaps another one
/// of the same key fails and is repeated with the newer state, so the target never goes backwards.
///
/// An image that the source does not have is removed only if the caller has established that it was erased
/// (absences.hpp).
#pragma once

#include "mirror/work.hpp"

#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/task.hpp>

#include <set>
#include <string>

namespace gallery::mirror {

class image_sync {
public:
    explicit image_sync(work& all) : all_(all) {}

    /// @p is_erased: the image is removed if the source does not have it. Errors: those of the stores;
    /// version_conflict if another process writes the image of the target. Damage in the source is noted, and
    /// the target is left unchanged.
    task<result<void>> one(image_name name, bool is_erased);

    /// Repeats one() for images that others had to give way: an id or a public key that has moved from one
    /// image to another is still taken in the target, so the image that has it there is erased first. Call it
    /// when no other call of one() runs.
    task<result<void>> settle();

private:
    enum class attempt : std::uint8_t { done, again };

    /// @p seen: set to the revision of the source's record, 0 if there is none.
    task<result<attempt>> once(image_name name, bool is_erased, bool is_last, revision& seen);
    task<result<attempt>> erase(image_name name, record_ptr known);
    task<result<attempt>> update(record_ptr found, record_ptr known);
    task<result<attempt>> copy(record_ptr found, record_ptr known, bool is_last);
    /// Of an image whose records are the same. A damaged body of the target is copied again.
    task<result<attempt>> compare_bodies(record_ptr found, record_ptr known, bool is_last);
    void differs(const image_name& name, const std::string& how);
    /// Whether an image of the target may give its id or public key to another one: the source still has it,
    /// or has erased it.
    task<result<bool>> may_give_way(image_name name);
    task<result<attempt>> make_way(record_ptr holder, const image_record& wanted);

    work& all_;
    std::set<image_name> displaced_;
};

}  // namespace gallery::mirror
