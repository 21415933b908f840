// SPDX-License-Identifier: Apache-2.0
/// The documents of a store: accounts and all other data that the server keeps besides images. Part of the
/// storage contract; storage.hpp contains the rules that apply to every function.
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
        save,     ///< stores the document, replacing the present one
        erase,    ///< removes it; its body is ignored
        require,  ///< changes nothing, only checks the precondition; its body is ignored
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
    /// committed, conflict, or absent if an erasure has nothing to erase.
    write_status status = write_status::committed;
    /// Committed: for each part, in order, the revision of its change in the feed; for a `require` the
    /// current revision. They increase in the order of the list, except those of `require`. Otherwise empty.
    std::vector<revision> revs;
    /// Not committed: index of the first part that failed, and the current revision of its document.
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

    /// All documents of a kind, or of all kinds if @p kind is empty, in order of (kind, id), bytewise, at
    /// most @p limit (at least 1) per call. An empty cursor starts. Empty if no document can have this kind.
    /// A document that is stored during the whole scan is returned exactly once; one that is written
    /// meanwhile may or may not be returned. Error: invalid_argument for a limit of 0, and for a cursor that
    /// this function cannot have returned.
    virtual task<result<scan_page<document>>> scan(std::string kind, std::string cursor,
                                                   std::size_t limit) = 0;

    /// Writes 1 to max_parts documents in one atomic step: all of them or none, also after a crash. Once a
    /// find() in any process has returned one of the new states, every later find() returns the new states of
    /// all. The preconditions are judged together, in the state before the write. The first part that fails
    /// determines the outcome: absent for an erasure of nothing (regardless of its precondition), otherwise
    /// conflict. A list of only `require` judges and changes nothing. Errors: no_space; invalid_argument for
    /// an empty list, more than max_parts, a malformed kind or id, an oversized body, and a repeated (kind,
    /// id). Errors of arguments are judged first.
    virtual task<result<documents_outcome>> write(std::vector<document_write> parts) = 0;

    /// write() of one document.
    task<result<write_outcome>> save(document doc, precondition condition);
    task<result<write_outcome>> erase(std::string kind, std::string id, precondition condition);
};

/// Declares all functions of document_store in a class that implements them.
#define GALLERY_OVERRIDE_DOCUMENT_STORE                                                             \
    task<result<document>> find(std::string kind, std::string id) override;                         \
    task<result<scan_page<document>>> scan(std::string kind, std::string cursor, std::size_t limit) \
        override;                                                                                   \
    task<result<documents_outcome>> write(std::vector<document_write> parts) override

}  // namespace gallery
