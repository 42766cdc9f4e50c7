// toml++ (github.com/marzer/tomlplusplus), seen from C: a parsed text as one flat list of its first two levels, each
// with its line. Nothing is thrown to the caller, and strings have lengths, so a NUL cuts nothing.
#ifndef CTOML_H
#define CTOML_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A text without a terminator; `bytes` may be null when `length` is 0.
struct ctoml_text {
  const char *bytes;
  size_t length;
};

enum ctoml_kind {
  ctoml_table,
  ctoml_array,
  ctoml_string,
  ctoml_integer,
  ctoml_float,
  ctoml_boolean,
  ctoml_date,
  ctoml_time,
  ctoml_date_time,
};

struct ctoml_entry {
  // The key at the top of the text.
  struct ctoml_text section;
  // The key in that table; of no use when `is_section` is not 0.
  struct ctoml_text key;
  // 1: the entry is the section itself.
  int is_section;
  enum ctoml_kind kind;
  // The key's first line, from 1.
  uint32_t line;
  // Of a string.
  struct ctoml_text string;
  // Of an integer; of a boolean, 0 or 1.
  int64_t integer;
};

struct ctoml_document;

// Parses TOML 1.0. Null when memory ran out. The caller frees the result; `bytes` may go before that.
struct ctoml_document *ctoml_parse(const char *bytes, size_t length);
void ctoml_free(struct ctoml_document *document);

// The reason why the text is not TOML, with its line and column from 1; length 0: it is TOML.
struct ctoml_text ctoml_error(const struct ctoml_document *document, uint32_t *line, uint32_t *column);

// The entries, each section directly before its keys. What they point to lives as long as the document.
size_t ctoml_count(const struct ctoml_document *document);
struct ctoml_entry ctoml_entry_at(const struct ctoml_document *document, size_t index);

#ifdef __cplusplus
}
#endif

#endif
