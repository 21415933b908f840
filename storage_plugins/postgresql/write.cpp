// SPDX-License-Identifier: Apache-2.0
#include "write.hpp"

#include <algorithm>

namespace gallery::postgres {
namespace {

constexpr std::size_t chunk_size = 256 * 1024;

void add_part(batch& script, const uuid& name, std::int16_t part, const bytes& data) {
    std::int32_t seq = 0;
    for (std::size_t from = 0; from < data.size(); from += chunk_size) {
        const auto size = std::min(chunk_size, data.size() - from);
        script.add(statement::put_body,
                   {of_uuid(name), of_int2(part), of_int4(seq++), parameter(data.slice(from, size))});
    }
}

void add_content(batch& script, const new_bytes& content) {
    if (content.is_staged)
        script.add(statement::unstage, {of_uuid(content.name)});
    else
        add_chunks(script, content.name, content.original, content.preview);
}

/// The record that a save or an update stores, with its change.
void add_put(batch& script, const event& one) {
    std::vector<parameter> parameters = {of_uuid(one.write), of_int2(static_cast<std::int16_t>(one.what)),
                                         of_count(one.kept), of_int8(one.kept_time)};
    encode_record(*one.image.record, one.image.body, parameters);
    script.add(statement::put_image, std::move(parameters));
}

/// What becomes of the version that a save or an erasure ends.
void add_previous(batch& script, const kit::stored& before, const event& one, bool is_erased) {
    const auto& record = *before.record;
    if (one.kept != 0)
        script.add(statement::keep_image, {of_uuid(record.tenant.value), of_text(record.key),
                                           of_count(one.rev), of_int8(one.kept_time), of_bool(is_erased)});
    else
        script.add(statement::drop_body, {of_uuid(before.body)});
}

void note_kept(event& one, const kit::stored& before, const previous_version& rule) {
    if (!before || !rule.is_kept()) return;
    one.kept = before.record->content_rev;
    one.kept_time = rule.time();
}

bool is_elsewhere(const kit::stored& owner, const image_record& record) {
    return owner && (owner.record->tenant != record.tenant || owner.record->key != record.key);
}

revision rev_of(const kit::stored& item) {
    return item ? item.record->rev : 0;
}

}  // namespace

void add_chunks(batch& script, const uuid& name, const bytes& original, const bytes& preview) {
    add_part(script, name, static_cast<std::int16_t>(representation::original), original);
    add_part(script, name, static_cast<std::int16_t>(representation::preview), preview);
}

pending_write::pending_write() : id_(random_uuid()) {}

save_write::save_write(image_record record, new_bytes content, write_rules rules, waiting_type waiting)
    : image_write(std::move(waiting)),
      record_(std::move(record)),
      content_(std::move(content)),
      rules_(rules) {
    size_ += content_.size();
    if (content_.is_staged) staged_ = &content_.name;
}

std::optional<result<write_outcome>> save_write::refuse(const draft& on, const kit::stored& current) const {
    if (!rules_.condition.holds(rev_of(current))) return kit::refused(write_status::conflict, current.record);
    if (const auto owner = on.find_by_id(record_.id); is_elsewhere(owner, record_))
        return kit::id_taken(record_, *owner.record);
    if (!record_.public_key.empty() && is_elsewhere(on.find_by_public_key(record_.public_key), record_))
        return kit::refused(write_status::public_key_taken, current.record);
    const auto before = on.usage(record_.tenant);
    auto after = before;
    const auto change_by = [&after](const image_record& record, auto apply) {
        const auto figures = kit::figures_of(record);
        apply(after.count, figures.count);
        apply(after.original_bytes, figures.original_bytes);
    };
    change_by(record_, [](std::uint64_t& to, std::uint64_t by) { to += by; });
    if (current) change_by(*current.record, [](std::uint64_t& from, std::uint64_t by) { from -= by; });
    if (!rules_.limit.allows(before, after)) return kit::refused(write_status::over_limit, current.record);
    return std::nullopt;
}

void save_write::judge(draft& on, batch& script) {
    const auto current = on.find(record_.tenant, record_.key);
    auto refused = refuse(on, current);
    changes_ = !refused;
    if (refused) {
        outcome_ = std::move(*refused);
        return;
    }
    auto stored = std::make_shared<image_record>(record_);
    event one;
    one.what = change::kind::image_saved;
    one.write = id();
    one.rev = stored->rev = stored->content_rev = on.next();
    one.image = {std::move(stored), content_.name};
    note_kept(one, current, rules_.previous);
    if (current) add_previous(script, current, one, false);
    add_content(script, content_);
    add_put(script, one);
    outcome_ = write_outcome{write_status::committed, one.rev, one.image.record, one.kept};
    on.add(std::move(one));
}

update_write::update_write(image_record record, precondition condition, waiting_type waiting)
    : image_write(std::move(waiting)), record_(std::move(record)), condition_(condition) {}

void update_write::judge(draft& on, batch& script) {
    const auto current = on.find(record_.tenant, record_.key);
    changes_ = current && condition_.holds(rev_of(current));
    if (!changes_) {
        outcome_ = kit::refused(current ? write_status::conflict : write_status::absent, current.record);
        return;
    }
    event one;
    one.what = change::kind::image_updated;
    one.write = id();
    one.rev = on.next();
    one.image = {std::make_shared<const image_record>(kit::updated(*current.record, record_, one.rev)),
                 current.body};
    add_put(script, one);
    outcome_ = write_outcome{write_status::committed, one.rev, one.image.record};
    on.add(std::move(one));
}

erase_write::erase_write(tenant_id tenant, std::string key, write_rules rules, waiting_type waiting)
    : image_write(std::move(waiting)), tenant_(tenant), key_(std::move(key)), rules_(rules) {}

void erase_write::judge(draft& on, batch& script) {
    const auto current = on.find(tenant_, key_);
    changes_ = current && rules_.condition.holds(rev_of(current));
    if (!changes_) {
        outcome_ = kit::refused(current ? write_status::conflict : write_status::absent, current.record);
        return;
    }
    event one;
    one.what = change::kind::image_erased;
    one.write = id();
    one.rev = on.next();
    one.image = current;
    note_kept(one, current, rules_.previous);
    add_previous(script, current, one, true);
    script.add(statement::erase_image, {of_uuid(one.write), of_count(one.rev), of_count(one.kept),
                                        of_int8(one.kept_time), of_uuid(tenant_.value), of_text(key_)});
    outcome_ = write_outcome{write_status::committed, one.rev, nullptr, one.kept};
    on.add(std::move(one));
}

save_kept_write::save_kept_write(image_record record, new_bytes content, std::int64_t kept_time,
                                 bool is_erased, waiting_type waiting)
    : image_write(std::move(waiting)),
      record_(std::move(record)),
      content_(std::move(content)),
      kept_time_(kept_time),
      is_erased_(is_erased) {
    size_ += content_.size();
    if (content_.is_staged) staged_ = &content_.name;
}

void save_kept_write::judge(draft& on, batch& script) {
    changes_ = true;
    auto stored = std::make_shared<image_record>(record_);
    event one;
    one.what = change::kind::version_kept;
    one.write = id();
    one.rev = one.kept = stored->rev = stored->content_rev = on.next();
    one.kept_time = kept_time_;
    one.is_erased = is_erased_;
    one.image = {std::move(stored), content_.name};
    add_content(script, content_);
    std::vector<parameter> parameters = {of_uuid(one.write), of_int8(kept_time_), of_bool(is_erased_)};
    encode_record(*one.image.record, content_.name, parameters);
    script.add(statement::put_version, std::move(parameters));
    outcome_ = write_outcome{write_status::committed, one.rev, one.image.record, one.rev};
    on.add(std::move(one));
}

drop_kept_write::drop_kept_write(image_id id, revision content_rev, waiting_type waiting)
    : image_write(std::move(waiting)), id_of_image_(id), content_rev_(content_rev) {}

void drop_kept_write::judge(draft& on, batch& script) {
    const auto current = on.find_version(id_of_image_, content_rev_);
    changes_ = static_cast<bool>(current);
    if (!changes_) {
        outcome_ = kit::refused(write_status::absent, nullptr);
        return;
    }
    event one;
    one.what = change::kind::version_dropped;
    one.write = id();
    one.rev = on.next();
    one.kept = content_rev_;
    one.image = {current.version.record, current.body};
    script.add(statement::drop_body, {of_uuid(current.body)});
    script.add(statement::drop_version,
               {of_uuid(one.write), of_count(one.rev), of_uuid(id_of_image_.value), of_count(content_rev_)});
    outcome_ = write_outcome{write_status::committed, one.rev, nullptr};
    on.add(std::move(one));
}

documents_write::documents_write(std::vector<document_write> parts, waiting_type waiting)
    : answered_write(std::move(waiting)), parts_(std::move(parts)) {
    for (const auto& part : parts_)
        size_ += part.doc.body.size();
}

void documents_write::judge(draft& on, batch& script) {
    changes_ = false;
    auto judged = kit::judge(parts_, [&on](const std::string& kind, const std::string& id) {
        return on.document_revision(kind, id);
    });
    if (judged.status == write_status::committed) {
        for (const auto& part : parts_) {
            const auto& doc = part.doc;
            if (part.what == document_write::action::require) {
                judged.revs.push_back(on.document_revision(doc.kind, doc.id));
                continue;
            }
            changes_ = true;
            event one;
            one.write = id();
            one.rev = on.next();
            one.doc = {doc.kind, doc.id, {}, one.rev};
            judged.revs.push_back(one.rev);
            if (part.what == document_write::action::save) {
                one.what = change::kind::document_saved;
                one.doc.body = doc.body;
                script.add(statement::put_document, {of_uuid(one.write), of_text(doc.kind), of_text(doc.id),
                                                     of_text(doc.body), of_count(one.rev)});
            } else {
                one.what = change::kind::document_erased;
                script.add(statement::erase_document,
                           {of_uuid(one.write), of_text(doc.kind), of_text(doc.id), of_count(one.rev)});
            }
            on.add(std::move(one));
        }
    }
    outcome_ = std::move(judged);
}

}  // namespace gallery::postgres
