// One picture as a JPEG file, by libjpeg-turbo. In C, because libjpeg leaves an error by longjmp, which Swift must not see.
#ifndef CJPEG_H
#define CJPEG_H

#include <stddef.h>
#include <stdint.h>

// Compresses `height` rows of `width` pixels, each of the bytes blue, green, red and one that is ignored; `stride` bytes from
// row to row. `quality` is libjpeg's, 1 to 100. Returns 0 and sets `file` and `size`, to be freed with cjpeg_free; or -1, with
// libjpeg's reason in `error`, 200 bytes with the zero at its end.
int cjpeg_compress(const uint8_t *pixels, int width, int height, int stride, int quality, uint8_t **file, size_t *size,
                   char *error);
void cjpeg_free(uint8_t *file);

#endif
