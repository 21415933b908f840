// SPDX-License-Identifier: Apache-2.0
/// The storage contract: what a gallery asks of the engine that stores it.
///
/// The seam is at the level of the gallery: an engine stores image records with their bytes, not keys and
/// values, so that each does it its natural way. storage_engine owns three small interfaces: image_store,
/// document_store and change_feed, each in the header of its name. test/contract holds every engine to these
/// pages. The rules below hold for every function of them.
///
/// Threads. Every coroutine is started on an I/O thread, from any of several, at the same time as others, and
/// resumes on the executor it was awaited on. It never blocks that thread: an engine that blocks has a pool
/// of its own (see offload and suspend in task.hpp). Where the engine can tell that an answer is in memory it
/// answers without leaving the thread.
///
/// Arguments are values. They live in the coroutine.
///
/// Errors are gallery::error values with the codes named at each function, and besides them io_error,
/// corrupt, busy, unavailable and internal everywhere, and read_only from every write while
/// storage_engine::writing() is not ok. Exceptions do not cross.
///
/// Records: a record_ptr in a successful answer, also one in a page, is never null. The server answers
/// `internal` in the name of an engine that does not keep to this.
///
/// Revisions. Each committed write of an image, a kept version or a document takes the next number of one
/// sequence per store, which grows and never repeats: not after an erasure, a crash or a restart. Numbers may
/// be skipped.
///
/// Atomicity. A write happens at one moment, at which its preconditions and limits are judged: record,
/// original, preview, index entries, public key, kept version, usage and feed change together. Reads that
/// begin after its outcome was returned, in any process, see it.
///
/// Durability. A write is durable when its outcome is returned: after a kill or a power cut it is wholly
/// there or wholly not, and one that was acknowledged is there. After io_error, unavailable or internal a
/// write may or may not have happened; after every other error nothing was changed.
///
/// A full disk. An engine on a disk keeps a reserve of space for writes that free space or take rights away.
/// An erase() that keeps nothing, a drop_kept() and a list of documents that only erases may use all of it;
/// update() and every other list of documents at most the first half, so that erasing works after everything
/// else. save(), save_kept() and an erase() that keeps use none of it, and fail with no_space while the
/// reserve is not complete. The engine completes the reserve again when there is space. Opening a store on a
/// full disk succeeds, where need be by means of the reserve, and what erasing frees can be used without a
/// restart.
#pragma once

#include <gallery/change_feed.hpp>
#include <gallery/document_store.hpp>
#include <gallery/image_store.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/write.hpp>
