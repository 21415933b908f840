// SPDX-License-Identifier: Apache-2.0
// Asio, compiled once for the server and all plugins: its service ids, error categories and thread-local
// call stacks must exist once in the process.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
