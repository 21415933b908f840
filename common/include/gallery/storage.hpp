// SPDX-License-Identifier: Apache-2.0
/// The storage contract: the requirements on a storage engine.
///
/// The interface is at the level of the gallery. An engine stores image records with their bytes, and not
/// keys and values, so each engine can store them in its own way. storage_engine owns three small interfaces:
/// image_store, document_store and change_feed, each in the header of its name. test/contract tests every
/// engine against these headers. The rules below apply to every function.
///
/// Threads. Every coroutine is started on one of several I/O threads, at the same time as others, and resumes
/// on the executor it was awaited on. It must not block that thread: an engine that blocks has its own pool
/// (see offload and suspend in task.hpp). If the answer is in memory, the engine returns it without leaving
/// the thread.
///
/// Arguments are values. The coroutine owns them.
///
/// Errors are gallery::error values. Besides the codes at each function, every function may return io_error,
/// corrupt, busy, unavailable and internal, and every write read_only while storage_engine::writing() is not
/// ok. Exceptions must not cross the interface.
///
/// Records: a record_ptr in a successful answer, also in a page, is never null. If an engine violates this,
/// the server returns `internal` with the name of the engine.
///
/// Revisions. Each committed write of an image, a kept version or a document takes the next number of one
/// increasing sequence per store. A number is never reused: not after an erasure, a crash or a restart.
/// Numbers may be skipped.
///
/// Atomicity. A write happens at one moment, at which its preconditions and limits are judged. Record,
/// original, preview, index entries, public key, kept version, usage and feed change together. Reads in any
/// process that begin after its outcome was returned see it.
///
/// Durability. A write is durable when its outcome is returned. After a kill or a power failure a write is
/// present completely or not at all, and an acknowledged write is present. After io_error, unavailable or
/// internal a write may or may not have happened; after every other error nothing was changed.
///
/// A full disk. An engine on a disk keeps a reserve of space for writes that free space or revoke rights. An
/// erase() that keeps nothing, a drop_kept() and a list of documents that only erases may use all of it.
/// update() and every other list of documents may use at most the first half, so that erasing remains
/// possible after everything else. save(), save_kept() and an erase() that keeps use none of it, and fail
/// with no_space while the reserve is incomplete. The engine completes the reserve again when there is space.
/// Opening a store on a full disk succeeds, if necessary with the help of the reserve, and space that erasing
/// frees can be used without a restart.
#pragma once

#include <gallery/change_feed.hpp>
#include <gallery/document_store.hpp>
#include <gallery/image_store.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/write.hpp>
