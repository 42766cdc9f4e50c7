#include <alsa/asoundlib.h>

// ALSA prints its errors to stderr unless a handler is set, and a handler is variadic, which Swift cannot write.
static void calsa_ignore(const char *file, int line, const char *function, int code, const char *format, ...) {
  (void)file, (void)line, (void)function, (void)code, (void)format;
}
// snd_lib_error_set_handler(3) with a handler that prints nothing. For the whole process.
static inline void calsa_silence_errors(void) { snd_lib_error_set_handler(calsa_ignore); }
