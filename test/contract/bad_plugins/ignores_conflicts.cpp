// Writes whatever the precondition says.
#include "forwarding_store.hpp"

namespace gallery::bad {
namespace {

class ignores_conflicts final : public forwarding_store {
public:
    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     precondition) override {
        return inner().save(std::move(record), std::move(original), std::move(preview), precondition::any());
    }
    task<result<write_outcome>> update(image_record record, precondition) override {
        return inner().update(std::move(record), precondition::any());
    }
    task<result<write_outcome>> erase(tenant_id tenant, std::string key, precondition) override {
        return inner().erase(tenant, std::move(key), precondition::any());
    }
    task<result<write_outcome>> save_document(document doc, precondition) override {
        return inner().save_document(std::move(doc), precondition::any());
    }
};

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "ignores_conflicts", "1", "{}",
                                          &create<ignores_conflicts>};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)
