// SPDX-License-Identifier: Apache-2.0
#include "http/request.hpp"

namespace gallery::http {

void request_head::clear() noexcept {
    verb = method::unknown;
    version = 11;
    field_count = 0;
    verb_text = target = path = query = {};
    first.fill(0);
}

std::string_view request::header(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < head_.field_count; ++i) {
        if (equals_ignoring_case(head_.fields[i].name, name)) return head_.fields[i].value;
    }
    return {};
}

std::string& request::next_param() {
    if (param_count_ == params_.size()) params_.emplace_back();
    return params_[param_count_++];
}

void request::reset() noexcept {
    head_.clear();
    request_id_.clear();
    param_count_ = 0;
    route_name_ = {};
    body_ = {};
    attachment_.reset();
}

}  // namespace gallery::http
