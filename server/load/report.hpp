// SPDX-License-Identifier: Apache-2.0
/// What a run has found, as text, JSON and HTML. Pure.
#pragma once

#include "load/engine.hpp"
#include "load/scenario.hpp"
#include "load/server_process.hpp"
#include "load/thresholds.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace gallery::load {

/// One run.
struct run_report {
    std::string scenario;
    std::string description;
    std::string url;
    std::string begun;  ///< "2027-01-31 12:00:00Z"
    std::size_t connections = 0;
    double visit_rate = 0;    ///< the highest, a second
    double request_rate = 0;  ///< that it amounts to
    double warm_up = 0;       ///< seconds
    engine_report figures;
    std::vector<threshold_outcome> thresholds;
    std::vector<process_sample> server;  ///< empty where its process is not known
};

/// One step of a search for the limit.
struct limit_step {
    double request_rate = 0;  ///< intended, a second
    double achieved = 0;      ///< good answers a second
    double p50 = 0, p99 = 0;  ///< microseconds
    double errors = 0;        ///< a share
    double server_cpu = 0;    ///< processors; 0 where it is not known
    double generator_cpu = 0;
    bool holds = false;  ///< all thresholds
    std::string broken;  ///< the first threshold that does not hold, and what was found
};

struct limit_report {
    std::vector<limit_step> steps;  ///< in the order in which they were tried
    double limit = 0;      ///< requests a second: the highest rate at which all thresholds hold; 0: none
    std::string reason;    ///< what ended the search
    run_report last_good;  ///< the run at the limit, if there is one
};

/// What may distort the figures: a generator at the end of its processor, requests that it sent late.
/// Sentences.
std::vector<std::string> warnings_of(const run_report& run);

/// For the terminal; lines.
std::string text_of_run(const run_report& run);
std::string text_of_limit(const limit_report& found);
/// "12 s  480/s  p99 3.10 ms  0 errors": the line while it runs.
std::string text_of_second(const second_row& row, double whole_seconds);

boost::json::object json_of_run(const run_report& run);
boost::json::object json_of_limit(const limit_report& found);

/// One file that refers to no other: styles and plots are in it.
std::string html_of_run(const run_report& run);
std::string html_of_limit(const limit_report& found);

/// The mean of the samples, without the first second.
double mean_cpu(const std::vector<process_sample>& samples) noexcept;

}  // namespace gallery::load
