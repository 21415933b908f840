// SPDX-License-Identifier: Apache-2.0
/// The Beast message inside a response. Apart from response.hpp, so that handlers do not compile it.
#pragma once

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

namespace gallery::http {

/// Status and fields of an answer. Its body stays empty until the writer hands it pieces of the content.
struct beast_response : boost::beast::http::response<boost::beast::http::buffer_body> {};

}  // namespace gallery::http
