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

std::string_view request::trace_id() const noexcept {
    return from_proxy_ ? trace_id_of(header("traceparent")) : std::string_view();
}

void request::find_request_id() const noexcept {
    const auto keep = [this](std::string_view id) {
        request_id_size_ = static_cast<std::uint8_t>(id.copy(request_id_.data(), request_id_.size()));
    };
    // Another system may identify the request by the id of a trusted proxy.
    if (const auto given = header(field::x_request_id); from_proxy_ && is_request_id(given)) {
        keep(given);
    } else if (const auto trace = trace_id(); !trace.empty()) {
        keep(trace);
    } else if (ids_ != nullptr) {
        const auto made = ids_->next();
        keep({made.data(), made.size()});
    }
}

std::string& request::next_param() {
    if (param_count_ == params_.size()) params_.emplace_back();
    return params_[param_count_++];
}

void request::reset() noexcept {
    head_.clear();
    request_id_size_ = 0;
    param_count_ = 0;
    route_name_ = {};
    body_ = {};
    attachment_.reset();
}

}  // namespace gallery::http
