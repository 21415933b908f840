// SPDX-License-Identifier: Apache-2.0
/// A queue of bounded size that does not allocate after it was made.
#pragma once

#include <cstddef>
#include <vector>

namespace gallery::load {

template <class Value>
class ring {
public:
    explicit ring(std::size_t capacity) : places_(capacity) {}

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Precondition: size() is below the capacity.
    void push(Value value) noexcept { places_[(first_ + size_++) % places_.size()] = value; }
    /// The value that was pushed first. Precondition: it is not empty.
    Value pop() noexcept {
        const auto value = places_[first_];
        first_ = (first_ + 1) % places_.size();
        --size_;
        return value;
    }
    /// All that equal @p value; the order of the others stays. Costs as much as there are values.
    void remove(const Value& value) noexcept {
        for (auto left = size_; left > 0; --left) {
            const auto one = pop();
            if (one != value) push(one);
        }
    }

private:
    std::vector<Value> places_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

}  // namespace gallery::load
