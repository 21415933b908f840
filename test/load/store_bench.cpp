// SPDX-License-Identifier: Apache-2.0
// store_bench --plugin <path of the .so> --folder <empty folder> [--config key=value]... [--images n]
//
// What the operations of a storage plugin cost without a server around them: writes a second with 1 and
// 16 writers, look-ups and reads that are in memory, pages and searches in a tenant with many images.
// Prints medians and 99th percentiles. The folder stays as it is; a second run in it skips the filling.
#include "picture.hpp"

#include <gallery/text.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

using namespace gallery;
using load::must;
using load::stop;
using steady = std::chrono::steady_clock;

namespace {

std::mt19937_64 dice(20240501);

constexpr tenant_id crowded{uuid{1}};
constexpr tenant_id quiet{uuid{2}};

using load::picture;

picture make(tenant_id tenant, std::string key, std::size_t size) {
    static const char* const words[] = {"north", "pump",  "Valve", "boiler", "room",
                                        "Plan",  "floor", "tank",  "meter",  "logo"};
    std::string title = words[dice() % 10];
    for (int i = 0; i < 2; ++i)
        title += std::string(" ") + words[dice() % 10];
    return load::make_picture(tenant, std::move(key), title, size, dice);
}

/// Runs coroutines on one I/O thread, this one.
void run(std::vector<task<void>> all) {
    static asio::io_context context{1};  // outlives the stores, whose threads post to it
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

task<void> save_all(image_store& store, std::vector<picture>& pictures, std::size_t& next) {
    while (next < pictures.size()) {
        picture& mine = pictures[next++];
        body bytes_given = bytes::own(std::move(mine.bytes));
        body none;
        must(co_await store.save(mine.record, std::move(bytes_given), std::move(none), precondition::any()));
    }
}

double save_many(image_store& store, std::vector<picture> pictures, unsigned writers) {
    const auto begin = steady::now();
    std::size_t next = 0;
    std::vector<task<void>> all;
    for (unsigned i = 0; i < writers; ++i)
        all.push_back(save_all(store, pictures, next));
    run(std::move(all));
    return static_cast<double>(pictures.size()) /
           std::chrono::duration<double>(steady::now() - begin).count();
}

void report(const char* what, std::vector<double> micros) {
    std::sort(micros.begin(), micros.end());
    std::printf("%-46s median %10.1f us   p99 %10.1f us\n", what, micros[micros.size() / 2],
                micros[micros.size() * 99 / 100]);
    std::fflush(stdout);
}

template <class Operation>
task<void> repeat(std::string what, unsigned times, Operation operation) {
    std::vector<double> micros;
    for (unsigned i = 0; i < times; ++i) {
        const auto begin = steady::now();
        co_await operation(i);
        micros.push_back(std::chrono::duration<double, std::micro>(steady::now() - begin).count());
    }
    report(what.c_str(), std::move(micros));
}

task<void> hot_reads(image_store& store, std::size_t size) {
    const std::string key = "hot-" + std::to_string(size);
    auto one = make(quiet, key, size);
    body content = bytes::own(std::move(one.bytes));
    body none;
    auto saved =
        must(co_await store.save(one.record, std::move(content), std::move(none), precondition::any()));
    auto record = saved.record;
    must(co_await store.read(record, representation::original));
    auto read_one = [&store, record](unsigned) -> task<void> {
        must(co_await store.read(record, representation::original));
    };
    co_await repeat("read hot " + std::to_string(size) + " bytes", 20'000, read_one);
    auto find_and_read = [&store, key](unsigned) -> task<void> {
        auto found = must(co_await store.find(quiet, key));
        must(co_await store.read(std::move(found), representation::original));
    };
    co_await repeat("find and read hot " + std::to_string(size) + " bytes", 20'000, find_and_read);
}

task<void> finds(image_store& store, std::vector<std::string> keys) {
    auto cold = [&store, &keys](unsigned i) -> task<void> {
        must(co_await store.find(crowded, keys[(i * 7919UL) % keys.size()]));
    };
    co_await repeat("find, each key for the first time", 10'000, cold);
    co_await repeat("find, again", 10'000, cold);
}

task<void> lists(image_store& store, std::uint64_t images) {
    struct order {
        image_sort sort;
        bool descending;
        const char* name;
    };
    for (const order by :
         {order{image_sort::created_time, true, "createdTime desc"},
          order{image_sort::created_time, false, "createdTime asc"},
          order{image_sort::title, false, "title asc"}, order{image_sort::title, true, "title desc"},
          order{image_sort::size, true, "size desc"}})
        for (const bool first : {true, false}) {
            std::vector<double> builds;
            auto page = [&](unsigned) -> task<void> {
                image_query query;
                query.tenant = crowded;
                query.sort = by.sort;
                query.descending = by.descending;
                query.page_size = 30;
                query.include_system = true;
                query.page = first ? 0 : dice() % (images / 30);
                const auto got = must(co_await store.list(query));
                if (got.total < images || got.images.size() != 30) stop("a page is not as it should be");
            };
            co_await repeat(std::string("page of 30 by ") + by.name + (first ? ", first" : ", anywhere"), 300,
                            page);
        }
    for (const char* text : {"valve", "pump 12", "no such title"}) {
        auto search = [&](unsigned i) -> task<void> {
            image_query query;
            query.tenant = crowded;
            query.sort = i % 2 == 0 ? image_sort::created_time : image_sort::title;
            query.page_size = 30;
            query.text_search = text;
            must(co_await store.list(query));
        };
        co_await repeat(std::string("search \"") + text + "\"", 30, search);
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::string plugin;
    plugin_context context;
    std::uint64_t images = 100'000;
    const auto takes = [&](const std::string& name, const std::string& value) {
        if (name == "--images")
            images = std::stoull(value);
        else if (name == "--config" && value.find('=') != std::string::npos)
            context.options[value.substr(0, value.find('='))] = value.substr(value.find('=') + 1);
        else
            return false;
        return true;
    };
    load::read_options(argc, argv, plugin, context.path, takes);
    context.log = [](log_level, std::string_view text) {
        std::printf("# %.*s\n", static_cast<int>(text.size()), text.data());
    };
    const auto& descriptor = load::load_plugin(plugin);

    const auto begin = steady::now();
    auto store = must(descriptor.create(context));
    std::printf("%s %s, opened in %.0f ms\n", descriptor.name, descriptor.version,
                std::chrono::duration<double, std::milli>(steady::now() - begin).count());

    std::vector<std::string> keys;
    for (std::uint64_t i = 0; i < images; ++i)
        keys.push_back("picture-" + std::to_string(i) + ".png");
    for (const unsigned writers : {1U, 16U}) {
        std::vector<picture> some;
        for (unsigned i = 0; i < 300 * writers; ++i)
            some.push_back(make(quiet, "w" + std::to_string(i), 10'000));
        std::printf("saves of 10 KB, %2u writers: %.0f a second\n", writers,
                    save_many(store->images(), std::move(some), writers));
        std::fflush(stdout);
    }
    image_query whole;
    whole.tenant = crowded;
    whole.page_size = 1;
    std::uint64_t have = 0;
    auto count = [&]() -> task<void> { have = must(co_await store->images().list(whole)).total; };
    run(count());
    if (have < images) {
        std::vector<picture> many;
        for (std::uint64_t i = have; i < images; ++i)
            many.push_back(make(crowded, keys[i], 200));
        for (unsigned i = 0; i < 50; ++i)
            many.push_back(make(system_tenant, "system-" + std::to_string(i), 200));
        std::printf("filling with small images, 64 writers: %.0f a second\n",
                    save_many(store->images(), std::move(many), 64));
    }
    for (const std::size_t size : {2'000UL, 10'000UL, 100'000UL, 1'000'000UL})
        run(hot_reads(store->images(), size));
    run(finds(store->images(), keys));
    run(lists(store->images(), images));
    for (const auto& figure : store->statistics())
        std::printf("# %s %.0f\n", figure.name.c_str(), figure.value);
}
