// SPDX-License-Identifier: Apache-2.0
/// The documents of a store: accounts and everything else that the server keeps beside images. Part of the
/// storage contract; storage.hpp has the rules that hold for every function.
#pragma once

#include <gallery/error.hpp>
#include <gallery/export.hpp>
#include <gallery/model.hpp>
#include <gallery/task.hpp>
#include <gallery/write.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gallery {

/// A small text under a kind and an id. Kinds have 1 to 32 and ids 1 to 128 of the characters a-z, 0-9, '_'
/// and '-'; a body has at most 64 KiB.
struct document {
    std::string kind;
    std::string id;
    std::string body;
    revision rev = 0;  ///< set by the store

    friend bool operator==(const document&, const document&) = default;
};

/// One part of an atomic write.
struct document_write {
    enum class action : std::uint8_t {
        save,     ///< stores the document in place of what is there
        erase,    ///< removes it; its body is ignored
        require,  ///< changes nothing, only the precondition is judged; its body is ignored
    };
    action what = action::save;
    document doc;
    precondition condition = precondition::any();

    static document_write save(document doc, precondition condition) {
        return {action::save, std::move(doc), condition};
    }
    static document_write erase(std::string kind, std::string id, precondition condition) {
        return {action::erase, {std::move(kind), std::move(id), {}, 0}, condition};
    }
    static document_write require(std::string kind, std::string id, precondition condition) {
        return {action::require, {std::move(kind), std::move(id), {}, 0}, condition};
    }
};

struct documents_outcome {
    /// committed, conflict, or absent where an erasure has nothing to erase.
    write_status status = write_status::committed;
    /// Committed: of each part, in order, the revision of its change in the feed; of a `require` the current
    /// revision. They grow in the order of the list, `require` left out. Otherwise empty.
    std::vector<revision> revs;
    /// Not committed: index of the first part that did not hold, and the current revision of its document.
    std::size_t failed = 0;
    revision current = 0;
};

class GALLERY_API document_store {
public:
    document_store() = default;
    document_store(const document_store&) = delete;
    document_store& operator=(const document_store&) = delete;
    virtual ~document_store();

    static constexpr std::size_t max_parts = 64;
    static constexpr std::size_t max_kind_length = 32;
    static constexpr std::size_t max_id_length = 128;
    static constexpr std::size_t max_body_size = 64 * 1024;

    /// Error: not_found, also for a kind or id that no document can have.
    virtual task<result<document>> find(std::string kind, std::string id) = 0;

    /// All documents of a kind, or of all kinds where @p kind is empty, in order of (kind, id), bytewise, at
    /// most @p limit (at least 1) per call; an empty cursor begins. Nothing where no document can have this
    /// kind. A document that is stored during the whole scan is returned exactly once; one that is written
    /// meanwhile may or may not be. Error: invalid_argument for a limit of 0, and for a cursor that this
    /// function cannot have returned.
    virtual task<result<scan_page<document>>> scan(std::string kind, std::string cursor,
                                                   std::size_t limit) = 0;

    /// Writes 1 to max_parts documents in one atomic step: all of them or none, also after a crash, and once
    /// a find() by anybody has answered one of the new states, every later find() answers the new states of
    /// all. The preconditions are judged together, in the state before the write; the first part that does
    /// not hold decides the outcome: absent for an erasure of nothing (whatever its precondition), otherwise
    /// conflict. A list of `require` alone judges and changes nothing.
    /// Errors: no_space; invalid_argument for an empty list, more than max_parts, a malformed kind or id, an
    /// oversized body, and a (kind, id) that is there twice; these are judged first.
    virtual task<result<documents_outcome>> write(std::vector<document_write> parts) = 0;

    /// write() of one document.
    task<result<write_outcome>> save(document doc, precondition condition);
    task<result<write_outcome>> erase(std::string kind, std::string id, precondition condition);
};

}  // namespace gallery
