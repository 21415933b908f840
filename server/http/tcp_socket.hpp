// SPDX-License-Identifier: Apache-2.0
/// The connected socket of a session.
#pragma once

#include <boost/version.hpp>

/// 1: reads of heads are operations of Asio's reactor; only for the versions of Boost that this was tested
/// with. 0: Asio's public functions do the same, with a system call more for each request. A build may force
/// 0.
#ifndef GALLERY_REACTOR_READ
#if BOOST_VERSION == 108100
#define GALLERY_REACTOR_READ 1
#else
#define GALLERY_REACTOR_READ 0
#endif
#endif

#if GALLERY_REACTOR_READ
#include "http/reactor_socket.hpp"
#else
#include "http/waiting_socket.hpp"
#endif

namespace gallery::http {

#if GALLERY_REACTOR_READ
using tcp_socket = reactor_socket;
#else
using tcp_socket = waiting_socket;
#endif

}  // namespace gallery::http
