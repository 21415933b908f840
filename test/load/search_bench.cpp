// SPDX-License-Identifier: Apache-2.0
// search_bench --plugin <path of the .so> --folder <folder> [--config key=value]... [--images n]... [--repeat
// n]
//
// What lists and searches of one tenant cost in a storage plugin, without a server: pages in each order at
// the beginning, in the middle, at the end and anywhere, searches that find little, much and almost
// everything, in titles and in all names, with a filter, and how long a change takes while others search.
// Prints the median and the 95th percentile of the processor time of the whole process, which other work on
// the machine changes little, and the median of the time. Then the resident memory. --images can be given
// several times; the default is 100000 and 1000000. The folder keeps the images; a second run in it skips the
// filling.
#include "picture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace gallery;
using load::must;
using load::stop;
using steady = std::chrono::steady_clock;

namespace {

constexpr tenant_id crowded{uuid{1}};
constexpr std::uint32_t page_size = 30;

/// Runs coroutines on one I/O thread, this one.
void run(std::vector<task<void>> all) {
    static thread_local asio::io_context context{1};
    context.restart();
    for (auto& each : all)
        asio::co_spawn(context, std::move(each), [](std::exception_ptr thrown) {
            if (thrown) stop("an exception crossed the contract");
        });
    context.run();
}
void run(task<void> one) {
    std::vector<task<void>> all;
    all.push_back(std::move(one));
    run(std::move(all));
}

/// Of this process, in milliseconds.
double processor_time() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// In memory, in MB.
double resident(const char* what) {
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(what)) return std::stod(line.substr(line.find(':') + 1)) / 1024;
    return 0;
}

struct filling {
    image_store& store;
    std::uint64_t images;
    std::uint64_t next;
    std::mt19937_64 dice{20240501};

    task<void> work() {
        static const char* const words[] = {"north", "pump",  "Valve", "boiler", "room",
                                            "Plan",  "floor", "tank",  "meter",  "logo"};
        while (next < images + 50) {
            const auto number = next++;
            const bool of_system = number >= images;
            std::string title;
            for (int i = 0; i < 3; ++i)
                title += std::string(i == 0 ? "" : " ") + words[dice() % 10];
            auto one =
                load::make_picture(of_system ? system_tenant : crowded,
                                   "picture-" + std::to_string(100'000 + number) + ".png", title, 200, dice);
            body content = bytes::own(std::move(one.bytes));
            body none;
            must(co_await store.save(std::move(one.record), std::move(content), std::move(none),
                                     precondition::any()));
        }
    }
};

image_query query_of(image_sort sort, bool descending, std::uint64_t page) {
    image_query made;
    made.tenant = crowded;
    made.include_system = true;
    made.sort = sort;
    made.descending = descending;
    made.page = page;
    made.page_size = page_size;
    return made;
}

image_page list(image_store& store, const image_query& query) {
    image_page page;
    auto once = [&]() -> task<void> { page = must(co_await store.list(query)); };
    run(once());
    return page;
}

struct times {
    std::vector<double> processor;
    std::vector<double> wall;

    void add(double of_processor, double of_wall) {
        processor.push_back(of_processor);
        wall.push_back(of_wall);
    }
    static double at(std::vector<double>& all, std::size_t percent) {
        std::sort(all.begin(), all.end());
        return all[std::min(all.size() - 1, all.size() * percent / 100)];
    }
    void print(const std::string& what, std::uint64_t found) {
        std::printf("| %-56s | %9llu | %8.2f | %8.2f | %8.2f |\n", what.c_str(),
                    static_cast<unsigned long long>(found), at(processor, 50), at(processor, 95),
                    at(wall, 50));
        std::fflush(stdout);
    }
};

template <class QueryOf>
void measure(image_store& store, const std::string& what, int repeat, QueryOf query_of_run) {
    times all;
    std::uint64_t found = 0;
    for (int i = 0; i < repeat; ++i) {
        const image_query query = query_of_run(i);
        const auto begin = steady::now();
        const auto processor = processor_time();
        found = list(store, query).total;
        all.add(processor_time() - processor,
                std::chrono::duration<double, std::milli>(steady::now() - begin).count());
    }
    all.print(what, found);
}

void measure_pages(image_store& store, std::uint64_t images, int repeat) {
    static const std::pair<image_sort, const char*> sorts[] = {{image_sort::created_time, "createdTime"},
                                                               {image_sort::title, "title"},
                                                               {image_sort::resource_key, "key"},
                                                               {image_sort::size, "size"},
                                                               {image_sort::tenant, "tenant"}};
    std::mt19937_64 dice(7);
    const auto last = images / page_size - 1;
    for (const auto& [sort, name] : sorts)
        for (const bool descending : {false, true}) {
            const auto what = std::string(name) + (descending ? " descending" : "") + ", page ";
            for (const auto& [page, where] :
                 {std::pair{std::uint64_t{0}, "first"}, {last / 2, "middle"}, {last, "last"}})
                measure(store, what + where, repeat, [&](int) { return query_of(sort, descending, page); });
            measure(store, what + "anywhere", 4 * repeat,
                    [&](int) { return query_of(sort, descending, dice() % last); });
        }
}

void measure_searches(image_store& store, int repeat) {
    static const std::pair<image_sort, const char*> sorts[] = {{image_sort::created_time, "createdTime"},
                                                               {image_sort::title, "title"}};
    for (const char* text : {"no such text", "pump valve 12", "12", "pump", "o"})
        for (const auto in : {search_scope::title, search_scope::names})
            for (const auto& [sort, name] : sorts)
                for (const bool is_first : {true, false}) {
                    auto query = query_of(sort, sort == image_sort::created_time, 0);
                    query.text_search = text;
                    query.search_in = in;
                    const auto total = list(store, query).total;
                    if (!is_first) query.page = total / page_size / 2;
                    if (!is_first && query.page == 0) continue;
                    measure(store,
                            std::string("\"") + text + "\" in " +
                                (in == search_scope::title ? "titles" : "names") + ", " + name + ", page " +
                                (is_first ? "first" : "middle"),
                            repeat, [&](int) { return query; });
                }
    auto query = query_of(image_sort::title, false, 0);
    query.text_search = "pump valve 12";
    query.filter.is_public = false;
    measure(store, "\"pump valve 12\" in titles, not public", repeat, [&](int) { return query; });
}

/// How long updates take beside @p searching threads.
void measure_updates(image_store& store, unsigned searching, int repeat) {
    std::atomic<bool> has_ended = false;
    std::vector<std::jthread> others;
    for (unsigned i = 0; i < searching; ++i)
        others.emplace_back([&] {
            auto query = query_of(image_sort::created_time, true, 0);
            query.text_search = "o";
            while (!has_ended)
                list(store, query);
        });
    const auto some = list(store, query_of(image_sort::resource_key, false, 7)).images;
    std::vector<double> wall;
    auto update = [&](int i) -> task<void> {
        auto record = *some[static_cast<std::size_t>(i) % some.size()];
        record.title = "renamed " + std::to_string(i % 10);
        must(co_await store.update(std::move(record), precondition::any()));
    };
    for (int i = 0; i < repeat; ++i) {
        const auto begin = steady::now();
        run(update(i));
        wall.push_back(std::chrono::duration<double, std::milli>(steady::now() - begin).count());
    }
    has_ended = true;
    others.clear();
    const auto longest = *std::max_element(wall.begin(), wall.end());
    std::printf("update beside %u searching threads, ms: median %.2f, p95 %.2f, longest %.2f\n", searching,
                times::at(wall, 50), times::at(wall, 95), longest);
}

double figure_of(const storage_engine& store, const std::string& name) {
    for (const auto& figure : store.statistics())
        if (figure.name == name) return figure.value;
    return -1;
}

/// The first search of a tenant may load an index beside it.
void search_first(storage_engine& store, std::uint64_t images) {
    auto query = query_of(image_sort::created_time, false, 0);
    query.text_search = "no such text";
    const auto begin = steady::now();
    const auto processor = processor_time();
    list(store.images(), query);
    const auto since = [&] {
        return std::chrono::duration<double, std::milli>(steady::now() - begin).count();
    };
    std::printf("first search %.0f ms", since());
    if (figure_of(store, "search_index_bytes") < 0) {
        std::printf("\n");
        return;
    }
    while (figure_of(store, "search_index_bytes") < static_cast<double>(images) * 50)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::printf(", indexed after %.0f ms and %.0f ms of processor time, %.1f bytes an image\n", since(),
                processor_time() - processor,
                figure_of(store, "search_index_bytes") / static_cast<double>(images));
}

}  // namespace

int main(int argc, char** argv) {
    std::string plugin;
    plugin_context context;
    std::vector<std::uint64_t> counts;
    int repeat = 15;
    const auto takes = [&](const std::string& name, const std::string& value) {
        if (name == "--images")
            counts.push_back(std::stoull(value));
        else if (name == "--repeat")
            repeat = std::stoi(value);
        else if (name == "--config" && value.find('=') != std::string::npos)
            context.options[value.substr(0, value.find('='))] = value.substr(value.find('=') + 1);
        else
            return false;
        return true;
    };
    std::string folder;
    load::read_options(argc, argv, plugin, folder, takes);
    if (counts.empty()) counts = {100'000, 1'000'000};
    context.log = [](log_level, std::string_view text) {
        std::printf("# %.*s\n", static_cast<int>(text.size()), text.data());
    };
    const auto& descriptor = load::load_plugin(plugin);
    for (const auto images : counts) {
        context.path = folder + "/" + std::to_string(images);
        std::filesystem::create_directories(context.path);
        const auto open = [&] { return must(descriptor.create(context)); };
        auto store = open();
        const auto have = list(store->images(), query_of(image_sort::created_time, false, 0)).total;
        if (have < images) {
            filling all{store->images(), images, have};
            std::vector<task<void>> writers;
            for (int i = 0; i < 64; ++i)
                writers.push_back(all.work());
            run(std::move(writers));
            // What filling leaves in memory is not that of lists.
            if (std::string(descriptor.name) != "memory") {
                store.reset();
                store = open();
            }
        }
        const auto after_opening = resident("VmRSS");
        search_first(*store, images);
        std::printf("%s, %llu images in a tenant and 50 of the system, pages of %u; ms\n\n", descriptor.name,
                    static_cast<unsigned long long>(images), page_size);
        std::printf("| %-56s | %9s | %8s | %8s | %8s |\n|---|--:|--:|--:|--:|\n", "", "found", "CPU",
                    "CPU p95", "time");
        measure_pages(store->images(), images, repeat);
        measure_searches(store->images(), repeat);
        std::printf("\nresident memory %.0f MB, at most %.0f MB, after opening %.0f MB\n", resident("VmRSS"),
                    resident("VmHWM"), after_opening);
        for (const unsigned searching : {0U, 1U, 2U})
            measure_updates(store->images(), searching, 20 * repeat);
        for (const auto& figure : store->statistics())
            if (figure.name.find("bytes") != std::string::npos)
                std::printf("# %s %.0f\n", figure.name.c_str(), figure.value);
    }
}
