#include "ctoml.h"

// Errors come as values. Everything of the library is compiled here, so that no shared library of it is needed.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
// Version 3.3 asserts what malformed text can make false ("[a" with a stray character), and handles it right after; with
// NDEBUG it would tell the optimiser that it cannot happen.
#undef NDEBUG
#define TOML_ASSERT(...) static_assert(true)
#include <toml++/toml.h>

#include <memory>
#include <new>
#include <string>
#include <vector>

struct ctoml_document {
  toml::table root;
  std::string error;
  toml::source_position error_position{};
  std::vector<ctoml_entry> entries;
};

namespace {

ctoml_text view(std::string_view text) { return {text.data(), text.size()}; }

ctoml_kind kind_of(const toml::node &node) {
  switch (node.type()) {
  case toml::node_type::none:
  case toml::node_type::table:
    return ctoml_table;
  case toml::node_type::array:
    return ctoml_array;
  case toml::node_type::string:
    return ctoml_string;
  case toml::node_type::integer:
    return ctoml_integer;
  case toml::node_type::floating_point:
    return ctoml_float;
  case toml::node_type::boolean:
    return ctoml_boolean;
  case toml::node_type::date:
    return ctoml_date;
  case toml::node_type::time:
    return ctoml_time;
  case toml::node_type::date_time:
    return ctoml_date_time;
  }
  return ctoml_table;
}

ctoml_entry entry(const toml::key &key, const toml::node &node) {
  ctoml_entry entry{};
  entry.kind = kind_of(node);
  entry.line = key.source().begin.line;
  if (const auto *string = node.as_string()) entry.string = view(string->get());
  if (const auto *integer = node.as_integer()) entry.integer = integer->get();
  if (const auto *boolean = node.as_boolean()) entry.integer = boolean->get() ? 1 : 0;
  return entry;
}

} // namespace

static ctoml_document *parse(const char *bytes, size_t length) {
  auto document = std::make_unique<ctoml_document>();
  toml::parse_result result = toml::parse(std::string_view(bytes, length));
  if (!result) {
    document->error = result.error().description();
    if (document->error.empty()) document->error = "not TOML";
    document->error_position = result.error().source().begin;
    return document.release();
  }
  document->root = std::move(result).table();
  for (auto &&[section, node] : document->root) {
    ctoml_entry head = entry(section, node);
    head.section = view(section.str());
    head.is_section = 1;
    document->entries.push_back(head);
    const toml::table *table = node.as_table();
    if (table == nullptr) continue;
    for (auto &&[key, value] : *table) {
      ctoml_entry inner = entry(key, value);
      inner.section = head.section;
      inner.key = view(key.str());
      document->entries.push_back(inner);
    }
  }
  return document.release();
}

ctoml_document *ctoml_parse(const char *bytes, size_t length) {
  try {
    return parse(bytes, length);
  } catch (const std::bad_alloc &) {
    return nullptr;
  }
}

void ctoml_free(ctoml_document *document) { delete document; }

ctoml_text ctoml_error(const ctoml_document *document, uint32_t *line, uint32_t *column) {
  *line = document->error_position.line;
  *column = document->error_position.column;
  return view(document->error);
}

size_t ctoml_count(const ctoml_document *document) { return document->entries.size(); }

ctoml_entry ctoml_entry_at(const ctoml_document *document, size_t index) { return document->entries[index]; }
