// SPDX-License-Identifier: Apache-2.0
// catalog_bench [--images n] [--system n] [--same-file-name]
//
// What the kit's catalog costs with many records: bytes a record, time to load them, and medians of a page in
// each order at the beginning, in the middle and at the end, of look-ups, searches and writes. Then the bytes
// and the searches of an index of the same images without records. Times are processor time of the thread,
// which other work on the machine changes little. All records but the system's are of one tenant. Titles and
// keys have about 20 characters, file names as well unless they are the keys; previews are images of their
// own.
#include <gallery/kit/catalog.hpp>
#include <gallery/kit/tenant_index.hpp>

#include <malloc.h>

#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace gallery;

namespace {

std::mt19937_64 dice(20240501);
constexpr tenant_id crowded{uuid{1}};

uuid random_name() {
    uuid name;
    for (auto& byte : name)
        byte = static_cast<std::uint8_t>(dice());
    return name;
}

sha256_digest random_digest() {
    sha256_digest digest;
    for (auto& byte : digest)
        byte = static_cast<std::byte>(dice());
    return digest;
}

image_record make(const tenant_id& tenant, std::size_t number, bool same_file_name) {
    static const char* const words[] = {"north", "pump",  "Valve", "boiler", "room",
                                        "Plan",  "floor", "tank",  "meter",  "logo"};
    image_record record;
    record.id = image_id{random_name()};
    record.tenant = tenant;
    record.key = "picture-" + std::to_string(10'000'000 + number) + ".png";
    record.file_name =
        same_file_name ? record.key : "Upload_" + std::to_string(dice() % 100'000'000) + ".png";
    for (int i = 0; i < 3; ++i)
        record.title += std::string(words[dice() % 10]) + " ";
    record.title += std::to_string(dice() % 100'000);
    for (int i = 0; i < 32; ++i)
        record.public_key += static_cast<char>('a' + dice() % 26);
    record.created_time = 1'700'000'000'000 + static_cast<std::int64_t>(dice() % 10'000'000'000);
    record.modified_time = record.created_time + static_cast<std::int64_t>(dice() % 10'000'000);
    record.original = {"image/png", 1920, 1080, 10'000 + dice() % 1'000'000, random_digest()};
    record.preview = {"image/jpeg", 250, 140, 2'000 + dice() % 20'000, random_digest()};
    record.rev = record.content_rev = (std::uint64_t{1} << 40) + number;
    return record;
}

/// Bytes that the allocator has given out.
std::size_t allocated() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
/// Of the process, in memory.
std::size_t resident() {
    std::ifstream file("/proc/self/statm");
    std::size_t all = 0;
    std::size_t here = 0;
    file >> all >> here;
    return here * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Of this thread, in milliseconds.
double processor_time() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}
double milliseconds(double since) {
    return processor_time() - since;
}

constexpr std::uint32_t page_size = 100;
constexpr const char* search_texts[] = {"pump", "pump valve 12", "12", "o", "no such text"};

/// The median of several runs.
template <class Work>
double median(int runs, Work work) {
    std::vector<double> all;
    for (int i = 0; i < runs; ++i) {
        const auto begin = processor_time();
        work();
        all.push_back(milliseconds(begin));
    }
    std::nth_element(all.begin(), all.begin() + runs / 2, all.end());
    return all[static_cast<std::size_t>(runs / 2)];
}

void print_index(const kit::tenant_index& index, std::size_t count) {
    std::printf("index without records   %.1f bytes an image\n",
                static_cast<double>(index.bytes()) / static_cast<double>(count));
    image_query query;
    query.tenant = crowded;
    query.page_size = page_size;
    const auto list = [&] {
        return kit::tenant_index::list(index, nullptr, query, [] { return true; })->total;
    };
    for (const auto* text : search_texts) {
        query.text_search = text;
        query.page = 0;
        const auto first = median(9, [&] { (void)list(); });
        const auto total = list();
        query.page = total / page_size / 2;
        std::printf("search %-15s titles %6.2f ms, middle page %6.2f ms; %llu found\n", text, first,
                    median(9, [&] { (void)list(); }), static_cast<unsigned long long>(total));
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t count = 1'000'000;
    std::size_t system_count = 100;
    bool same_file_name = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "--same-file-name") {
            same_file_name = true;
        } else if (i + 1 < argc && (option == "--images" || option == "--system")) {
            (option == "--images" ? count : system_count) = std::strtoull(argv[++i], nullptr, 10);
        } else {
            std::fprintf(stderr, "usage: catalog_bench [--images n] [--system n] [--same-file-name]\n");
            return 1;
        }
    }

    kit::catalog catalog;
    const auto allocated_before = allocated();
    const auto resident_before = resident();
    std::vector<std::string> keys;
    std::vector<image_id> ids;
    double loading = 0;
    catalog.begin_loading();
    for (std::size_t i = 0; i < count + system_count; ++i) {
        auto record = std::make_shared<const image_record>(
            make(i < count ? crowded : system_tenant, i, same_file_name));
        if (i % 997 == 0 && i < count) {
            keys.push_back(record->key);
            ids.push_back(record->id);
        }
        const kit::stored item{std::move(record), random_name()};
        const auto begin = processor_time();
        catalog.load(item);
        loading += milliseconds(begin);
    }
    const auto begin = processor_time();
    catalog.finish_loading();
    const auto finishing = milliseconds(begin);
    const auto per_record = [&](std::size_t bytes) {
        return static_cast<double>(bytes) / static_cast<double>(count + system_count);
    };
    std::printf("records                 %zu\n", catalog.size());
    std::printf("load                    %.2f s, of which at the end %.2f s\n", (loading + finishing) / 1000,
                finishing / 1000);
    std::printf("allocated               %.0f bytes a record\n", per_record(allocated() - allocated_before));
    ::malloc_trim(0);
    std::printf("resident                %.0f bytes a record\n", per_record(resident() - resident_before));

    static const std::pair<image_sort, const char*> sorts[] = {
        {image_sort::created_time, "created time"}, {image_sort::title, "title"},
        {image_sort::resource_key, "key"},          {image_sort::size, "size"},
        {image_sort::resource_type, "type"},        {image_sort::tenant, "tenant"}};
    image_query query;
    query.tenant = crowded;
    query.include_system = true;
    query.page_size = page_size;
    std::printf("page of %u with the system's images, ms: first, middle, last\n", page_size);
    for (const auto& [sort, name] : sorts)
        for (const bool descending : {false, true}) {
            query.sort = sort;
            query.descending = descending;
            std::printf("  %-13s %-10s", name, descending ? "descending" : "ascending");
            const auto last = (count + system_count - 1) / page_size;
            for (const auto page : {std::size_t{0}, last / 2, last}) {
                query.page = page;
                std::printf(" %7.3f", median(15, [&] { (void)catalog.list(query); }));
            }
            std::printf("\n");
        }

    query.page = 0;
    query.sort = image_sort::title;
    query.descending = false;
    for (const auto* text : search_texts) {
        query.text_search = text;
        std::printf("search %-15s", text);
        for (const auto in : {search_scope::title, search_scope::names}) {
            query.search_in = in;
            query.page = 0;
            const auto total = catalog.list(query)->total;
            const auto first = median(9, [&] { (void)catalog.list(query); });
            query.page = total / page_size / 2;
            std::printf(" %s %6.2f ms, middle page %6.2f ms;",
                        in == search_scope::title ? "titles" : "all names", first,
                        median(9, [&] { (void)catalog.list(query); }));
            if (in == search_scope::names)
                std::printf(" %llu found\n", static_cast<unsigned long long>(total));
        }
    }
    query.page = 0;
    query.text_search.clear();
    query.filter.media_types = {"image/gif"};
    std::printf("filter by media type    %.1f ms\n", median(5, [&] { (void)catalog.list(query); }));

    std::size_t next = 0;
    const auto runs = static_cast<int>(keys.size());
    const auto by_key = median(runs, [&] { (void)catalog.find(crowded, keys[next++]); });
    next = 0;
    const auto by_id = median(runs, [&] { (void)catalog.find_by_id(ids[next++]); });
    std::printf("find                    %.1f us by key, %.1f us by id\n", by_key * 1000, by_id * 1000);
    const auto put = median(1'000, [&] {
        catalog.put(
            {std::make_shared<const image_record>(make(crowded, count + system_count + next++, false))});
    });
    next = 0;
    const auto replaced = median(std::min(runs, 1'000), [&] {
        auto record = *catalog.find(crowded, keys[next++]).record;
        record.title += " again";
        catalog.put({std::make_shared<const image_record>(std::move(record))});
    });
    next = 0;
    const auto erased = median(std::min(runs, 1'000), [&] { catalog.erase(crowded, keys[next++]); });
    std::printf("write                   %.0f us new, %.0f us replaced, %.0f us erased\n", put * 1000,
                replaced * 1000, erased * 1000);
    const auto index_began = processor_time();
    kit::tenant_index index(crowded);
    std::string cursor;
    do {
        const auto part = catalog.scan(crowded, cursor, 1'000);
        for (const auto& record : part->items)
            index.load(*record);
        cursor = part->cursor;
    } while (!cursor.empty());
    index.finish_loading();
    std::printf("index loaded            %.2f s, with a scan of the catalog\n",
                milliseconds(index_began) / 1000);
    print_index(index, index.size());
    std::vector<std::string> problems;
    const auto check_began = processor_time();
    const auto entries = catalog.verify(problems);
    std::printf("check                   %.0f ms, %llu entries, %zu problems\n", milliseconds(check_began),
                static_cast<unsigned long long>(entries), problems.size());
    return problems.empty() ? 0 : 1;
}
