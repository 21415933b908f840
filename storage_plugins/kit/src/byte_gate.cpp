// SPDX-License-Identifier: Apache-2.0
#include <gallery/kit/byte_gate.hpp>

#include <vector>

namespace gallery::kit {

task<byte_gate::lease> byte_gate::enter(std::uint64_t size) {
    if (size <= small) co_return lease();
    auto wait = [this, size](resumption<> work) { enqueue(size, std::move(work)); };
    co_await suspend(std::move(wait));
    co_return lease(*this, size);
}

void byte_gate::enqueue(std::uint64_t size, resumption<> work) {
    {
        const std::lock_guard lock(mutex_);
        if (!waiting_.empty() || !fits(size)) {
            waiting_.push_back({size, std::move(work)});
            return;
        }
        in_flight_ += size;
    }
    work.complete();
}

void byte_gate::leave(std::uint64_t size) {
    std::vector<resumption<>> admitted;
    {
        const std::lock_guard lock(mutex_);
        in_flight_ -= size;
        while (!waiting_.empty() && fits(waiting_.front().size)) {
            in_flight_ += waiting_.front().size;
            admitted.push_back(std::move(waiting_.front().work));
            waiting_.pop_front();
        }
    }
    for (auto& each : admitted)
        each.complete();
}

std::uint64_t byte_gate::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
}

}  // namespace gallery::kit
