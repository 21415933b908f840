#include "http/request.hpp"

namespace gallery::http {

void request_head::clear() noexcept {
    verb = method::other;
    version = 11;
    field_count = 0;
    verb_text = target = path = query = {};
    first.fill(0);
}

void request_head::append(std::string_view name, std::string_view value) noexcept {
    auto& line = fields[field_count];
    line.name = name;
    line.value = value;
    line.id = parse_field(name);
    line.next = 0;
    ++field_count;
    if (line.id == field::other) return;
    const auto known = static_cast<std::size_t>(line.id);
    if (first[known] == 0) {
        first[known] = field_count;
    } else {
        fields[last[known] - 1U].next = field_count;
    }
    last[known] = field_count;
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
    param_count_ = 0;
    route_name_ = {};
    body_ = {};
    attachment_.reset();
}

}  // namespace gallery::http
