#include "app/admin/verify.hpp"

#include "app/configuration_file.hpp"
#include "app/open_storage.hpp"
#include "app/process.hpp"
#include "storage/verify.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <unistd.h>

namespace gallery::app::admin {

namespace {

constexpr std::string_view help = R"(usage: gallery-admin verify [--config FILE] [--json] [--quiet]

Reads everything that is stored, hashes every picture and preview again, and compares
every index entry with its image. No server may be running on the same store.

  --config FILE    the server's configuration; found as the server finds it
  --json           print the report as JSON
  --quiet          print problems only

exit codes:  0 all is sound, 1 there are problems, 69 the store cannot be opened,
             78 wrong configuration
)";

struct options {
    std::string config_file;
    bool json = false;
    bool quiet = false;
    bool help = false;
};

result<options> parse(std::span<const char* const> arguments) {
    options parsed;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view option = arguments[i];
        if (option == "--json") {
            parsed.json = true;
        } else if (option == "--quiet") {
            parsed.quiet = true;
        } else if (option == "--help" || option == "-h") {
            parsed.help = true;
        } else if (option.starts_with("--config=") && option.size() > 9) {
            parsed.config_file = option.substr(9);
        } else if (option == "--config" && i + 1 < arguments.size()) {
            parsed.config_file = arguments[++i];
        } else {
            return error{errc::invalid_argument,
                         "'" + std::string(option) + "' is not an option of verify, or lacks its value"};
        }
    }
    return parsed;
}

int fail(const error& e, int code) {
    std::fprintf(stderr, "gallery-admin verify: %s\n", e.message.c_str());
    return code;
}

result<storage::verification> run(asio::io_context& context, image_store& store,
                                  const std::function<void(std::uint64_t)>& progress) {
    std::optional<result<storage::verification>> outcome;
    std::exception_ptr thrown;
    asio::co_spawn(context.get_executor(), storage::verify(store, progress),
                   [&](std::exception_ptr e, result<storage::verification> value) {
                       thrown = std::move(e);
                       outcome.emplace(std::move(value));
                   });
    context.run();
    if (thrown || !outcome)
        return error{errc::internal, "the storage engine threw an exception or never answered"};
    return std::move(*outcome);
}

void print_json(const storage::verification& found, const std::string& store) {
    boost::json::object report;
    report["sound"] = found.sound();
    report["store"] = store;
    report["images"] = found.records;
    report["bodies"] = found.bodies;
    report["bytes"] = found.bytes;
    report["documents"] = found.documents;
    report["indexEntries"] = found.index_entries;
    boost::json::array problems;
    for (const auto& text : found.problems)
        problems.emplace_back(text);
    report["problems"] = std::move(problems);
    std::printf("%s\n", boost::json::serialize(report).c_str());
}

void print_text(const storage::verification& found, const std::string& store, bool quiet) {
    for (const auto& text : found.problems)
        std::printf("problem: %s\n", text.c_str());
    if (quiet && found.sound()) return;
    std::printf(
        "%s: %llu images, %llu bodies (%llu bytes) hashed, %llu documents, %llu index entries: %s\n",
        store.c_str(), static_cast<unsigned long long>(found.records),
        static_cast<unsigned long long>(found.bodies), static_cast<unsigned long long>(found.bytes),
        static_cast<unsigned long long>(found.documents),
        static_cast<unsigned long long>(found.index_entries),
        found.sound() ? "all is sound" : (std::to_string(found.problems.size()) + " problems").c_str());
}

}  // namespace

int verify(std::span<const char* const> arguments) {
    const auto wanted = parse(arguments);
    if (!wanted) return fail(wanted.error(), exit_usage);
    if (wanted->help) {
        std::fwrite(help.data(), 1, help.size(), stdout);
        return EXIT_SUCCESS;
    }
    prepare_process();
    const auto configuration = load_configuration(wanted->config_file);
    if (!configuration) return fail(configuration.error(), exit_config);
    const auto& settings = configuration->values;

    std::error_code failed;
    const auto data = std::filesystem::absolute(settings.data.folder, failed).lexically_normal();
    // Looking must not make what is not there.
    constexpr bool may_create = false;
    asio::io_context context{1};  // outlives the store, whose threads post to it
    auto opened = open_unprobed(
        settings.storage, data.string(), may_create, [](config::log_level level, std::string_view text) {
            if (level < config::log_level::warning) return;
            std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
        });
    if (!opened) return fail(opened.error(), exit_code_of(opened.error().code));

    std::function<void(std::uint64_t)> progress;
    if (!wanted->quiet && !wanted->json && ::isatty(STDERR_FILENO) != 0) {
        progress = [](std::uint64_t done) {
            std::fprintf(stderr, "\r%llu images", static_cast<unsigned long long>(done));
        };
    }
    const auto found = run(context, *opened->store, progress);
    if (progress) std::fprintf(stderr, "\r\033[K");
    if (!found) return fail(found.error(), exit_unavailable);
    if (wanted->json) {
        print_json(*found, opened->description);
    } else {
        print_text(*found, opened->description, wanted->quiet);
    }
    return found->sound() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace gallery::app::admin
