#include "cjpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

struct failure {
  struct jpeg_error_mgr manager;  // first, so that libjpeg's pointer is ours
  jmp_buf place;
  char *text;
};

static void fail(j_common_ptr info) {
  struct failure *failure = (struct failure *)info->err;
  char text[JMSG_LENGTH_MAX];
  failure->manager.format_message(info, text);
  snprintf(failure->text, 200, "%s", text);
  longjmp(failure->place, 1);
}

static void ignore(j_common_ptr info) { (void)info; }

int cjpeg_compress(const uint8_t *pixels, int width, int height, int stride, int quality, uint8_t **file, size_t *size,
                   char *error) {
  struct jpeg_compress_struct info;
  struct failure failure;
  // Where libjpeg says at its end where the result is; on an error it keeps what it had, a few kilobytes once.
  unsigned char *memory = NULL;
  unsigned long count = 0;
  info.err = jpeg_std_error(&failure.manager);
  failure.manager.error_exit = fail;
  failure.manager.output_message = ignore;
  failure.text = error;
  if (setjmp(failure.place)) {
    jpeg_destroy_compress(&info);
    return -1;
  }
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &memory, &count);
  info.image_width = (JDIMENSION)width;
  info.image_height = (JDIMENSION)height;
  info.input_components = 4;
  info.in_color_space = JCS_EXT_BGRX;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = (JSAMPROW)(pixels + (size_t)info.next_scanline * (size_t)stride);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  *file = memory;
  *size = count;
  return 0;
}

void cjpeg_free(uint8_t *file) { free(file); }
