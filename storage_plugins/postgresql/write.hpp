// SPDX-License-Identifier: Apache-2.0
/// Writes that wait for a transaction: how each is judged, and what it sends.
#pragma once

#include "draft.hpp"
#include "reply.hpp"
#include "statements.hpp"

#include <gallery/document_store.hpp>
#include <gallery/image_store.hpp>
#include <gallery/kit/rules.hpp>
#include <gallery/task.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace gallery::postgres {

/// The bytes of a save: in the transaction itself where they are small, otherwise stored ahead under their
/// name, with an entry in `staged`.
struct new_bytes {
    uuid name{};
    bool is_staged = false;
    bytes original;  ///< empty where staged
    bytes preview;

    [[nodiscard]] std::size_t size() const noexcept { return original.size() + preview.size(); }
};

/// One write. Used on the engine's thread; the committer completes it once.
class pending_write {
public:
    pending_write();
    pending_write(const pending_write&) = delete;
    pending_write& operator=(const pending_write&) = delete;
    virtual ~pending_write() = default;

    /// Judges the write in the state that @p on shows, adds its events to it and the statements that store
    /// them to @p script, and notes the outcome. May be called again, for another transaction.
    virtual void judge(draft& on, batch& script) = 0;
    /// The outcome is the one of the last judge().
    virtual void succeed() = 0;
    virtual void fail(error why) = 0;

    [[nodiscard]] const uuid& id() const noexcept { return id_; }
    /// Bytes that it adds to the transaction.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Has to be there when the write is committed; null where there is none.
    [[nodiscard]] const uuid* staged() const noexcept { return staged_; }
    /// Whether the last judge() has added something.
    [[nodiscard]] bool changes() const noexcept { return changes_; }

    /// To be committed in a transaction of its own, since one that it was in has failed.
    bool alone = false;
    unsigned attempts = 0;
    std::chrono::steady_clock::time_point deadline;

protected:
    std::size_t size_ = 1024;
    const uuid* staged_ = nullptr;
    bool changes_ = false;

private:
    uuid id_;
};
using write_ptr = std::unique_ptr<pending_write>;

template <class Outcome>
class answered_write : public pending_write {
public:
    using waiting_type = reply<Outcome>;
    explicit answered_write(waiting_type waiting) : waiting_(std::move(waiting)) {}

    void succeed() override { waiting_.complete(std::move(outcome_)); }
    void fail(error why) override { waiting_.complete(std::move(why)); }

protected:
    result<Outcome> outcome_ = error{errc::internal, "the write was not judged"};

private:
    waiting_type waiting_;
};

using image_write = answered_write<write_outcome>;

class save_write final : public image_write {
public:
    save_write(image_record record, new_bytes content, write_rules rules, waiting_type waiting);
    void judge(draft& on, batch& script) override;

private:
    std::optional<result<write_outcome>> refuse(const draft& on, const kit::stored& current) const;
    const image_record record_;
    const new_bytes content_;
    const write_rules rules_;
};

class update_write final : public image_write {
public:
    update_write(image_record record, precondition condition, waiting_type waiting);
    void judge(draft& on, batch& script) override;

private:
    const image_record record_;
    const precondition condition_;
};

class erase_write final : public image_write {
public:
    erase_write(tenant_id tenant, std::string key, write_rules rules, waiting_type waiting);
    void judge(draft& on, batch& script) override;

private:
    const tenant_id tenant_;
    const std::string key_;
    const write_rules rules_;
};

class save_kept_write final : public image_write {
public:
    save_kept_write(image_record record, new_bytes content, std::int64_t kept_time, bool is_erased,
                    waiting_type waiting);
    void judge(draft& on, batch& script) override;

private:
    const image_record record_;
    const new_bytes content_;
    const std::int64_t kept_time_;
    const bool is_erased_;
};

class drop_kept_write final : public image_write {
public:
    drop_kept_write(image_id id, revision content_rev, waiting_type waiting);
    void judge(draft& on, batch& script) override;

private:
    const image_id id_of_image_;
    const revision content_rev_;
};

class documents_write final : public answered_write<documents_outcome> {
public:
    documents_write(std::vector<document_write> parts, waiting_type waiting);
    void judge(draft& on, batch& script) override;

private:
    const std::vector<document_write> parts_;
};

/// Adds the statements that store a body's bytes.
void add_chunks(batch& script, const uuid& name, const bytes& original, const bytes& preview);

}  // namespace gallery::postgres
