// SPDX-License-Identifier: Apache-2.0
#include <gallery/document_store.hpp>

namespace gallery {
namespace {

task<result<write_outcome>> write_one(document_store& store, document_write part) {
    std::vector<document_write> parts;
    parts.push_back(std::move(part));
    auto written = co_await store.write(std::move(parts));
    if (!written) co_return written.error();
    write_outcome outcome;
    outcome.status = written->status;
    outcome.rev = written->status == write_status::committed ? written->revs.at(0) : written->current;
    co_return outcome;
}

}  // namespace

document_store::~document_store() = default;

task<result<write_outcome>> document_store::save(document doc, precondition condition) {
    return write_one(*this, document_write::save(std::move(doc), condition));
}

task<result<write_outcome>> document_store::erase(std::string kind, std::string id, precondition condition) {
    return write_one(*this, document_write::erase(std::move(kind), std::move(id), condition));
}

}  // namespace gallery
