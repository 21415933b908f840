// SPDX-License-Identifier: Apache-2.0
#include "app/gallery_server.hpp"

#include "app/log.hpp"
#include "app/parts.hpp"

#include <utility>

namespace gallery::app {

gallery_server::gallery_server(std::unique_ptr<parts> all) : parts_(std::move(all)) {}
gallery_server::~gallery_server() = default;

result<std::unique_ptr<gallery_server>> gallery_server::start(config::settings settings,
                                                              start_options options) {
    auto p = std::make_unique<parts>(std::move(settings));
    if (auto done = p->open_store(); !done) return done.error();
    if (auto done = p->start_threads(); !done) return done.error();
    if (auto done = p->load_accounts(); !done) return done.error();
    if (auto done = p->start_imaging(); !done) return done.error();
    if (auto done = p->make_services(); !done) return done.error();
    if (auto done = p->make_first_accounts(options); !done) return done.error();
    if (auto done = p->install_pictures(); !done) return done.error();
    if (auto done = p->add_routes(); !done) return done.error();
    if (auto done = p->listen(); !done) return done.error();
    p->begin_watchdog(options);
    return std::unique_ptr<gallery_server>(new gallery_server(std::move(p)));
}

const std::string& gallery_server::url() const noexcept {
    return parts_->url;
}

const start_report& gallery_server::report() const noexcept {
    return parts_->report;
}

void gallery_server::reload() {
    parts_->reopen_logs();
    if (!parts_->settings.server.ssl.enabled) {
        log_info("there is no certificate to reload: TLS is off");
        return;
    }
    if (const auto reloaded = parts_->http_->reload_certificate(); !reloaded) {
        log_error("the TLS certificate could not be reloaded, the previous one is still used: " +
                  reloaded.error().message);
    } else {
        log_info("the TLS certificate was reloaded");
    }
}

bool gallery_server::stop() {
    return parts_->drain();
}

}  // namespace gallery::app
