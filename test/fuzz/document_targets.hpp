// SPDX-License-Identifier: Apache-2.0
/// Parsers of documents that others write (pictures, imports, tokens, configuration), run over one input with
/// their invariants checked. Used by the fuzzers here and by the test that replays kept inputs.
#pragma once

#include <string_view>

namespace gallery::fuzz {

/// Aborts the process where an invariant does not hold. The input is copied into memory of exactly its size,
/// so that an address sanitizer sees a step too far.
void import_document(std::string_view input);
/// The input as a JSON document with pictures and links.
void pictures_in_json(std::string_view input);
/// The input as a token, and as the claims of a token that is signed rightly.
void token(std::string_view input);
void base64(std::string_view input);
/// The input as a configuration file, and its lines as values of settings.
void configuration(std::string_view input);
/// Recognising pictures, and the structure of PNG, GIF, BMP and ICO.
void picture(std::string_view input);
/// SVG's metadata, and the XML below it.
void svg(std::string_view input);

}  // namespace gallery::fuzz
