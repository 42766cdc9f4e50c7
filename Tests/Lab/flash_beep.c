// Flashes the vivid camera and beeps into snd-aloop at the same moment, again and again, so that the sound's offset
// from the picture can be told from a recording.
//
//   flash_beep PCM VIDEO COUNT PERIOD_MS [CHANNELS]
//
// A flash is vivid's pattern "100% White" for 150 ms, a beep 1 kHz at half of full scale for 100 ms, beginning together.
// Below the beeps runs a quiet tone (440 Hz, 1/16 of full scale, its phase 0 at the first sample), so that a gap in the
// sound shows. The first flash comes after one period. A line for each, times in s of CLOCK_MONOTONIC: the moment the
// beep's first sample is played, and when the pattern was set (before and after the ioctl).

#include <alsa/asoundlib.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { rate = 48000, chunk = rate / 100, flash_ms = 150, beep_ms = 100, white = 6 };
static const double loud = 16384, quiet = 2048, beep_hz = 1000, tone_hz = 440;
static const unsigned vivid_test_pattern = 0x00f0f000;

static int video;
static long count, period_ms;
static int64_t start;  // when the first sample plays, ns

static void fail(const char *what, const char *why) {
  fprintf(stderr, "flash_beep: %s: %s\n", what, why);
  exit(1);
}

static void check(const char *what, int result) {
  if (result < 0) fail(what, snd_strerror(result));
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void sleep_until(int64_t time) {
  struct timespec t = {time / 1000000000, time % 1000000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {}
}

static void set_pattern(int pattern) {
  struct v4l2_control control = {vivid_test_pattern, pattern};
  if (ioctl(video, VIDIOC_S_CTRL, &control) < 0) fail("setting vivid's test_pattern", strerror(errno));
}

static void *flash(void *unused) {
  (void)unused;
  struct v4l2_control usual = {vivid_test_pattern, 0};
  if (ioctl(video, VIDIOC_G_CTRL, &usual) < 0) fail("reading vivid's test_pattern", strerror(errno));
  for (long n = 0; n < count; n++) {
    int64_t beep = start + (n + 1) * period_ms * INT64_C(1000000);
    sleep_until(beep);
    int64_t before = now();
    set_pattern(white);
    int64_t after = now();
    printf("flash %ld beep %.6f set %.6f %.6f\n", n, beep / 1e9, before / 1e9, after / 1e9);
    fflush(stdout);
    sleep_until(before + flash_ms * INT64_C(1000000));
    set_pattern(usual.value);
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 5 || argc > 6) fail("usage", "flash_beep PCM VIDEO COUNT PERIOD_MS [CHANNELS]");
  count = atol(argv[3]);
  period_ms = atol(argv[4]);
  int channels = argc > 5 ? atoi(argv[5]) : 1;
  if (count < 1 || period_ms < 500 || channels < 1 || channels > 2) fail("usage", "COUNT from 1, PERIOD_MS from 500, CHANNELS 1 or 2");
  video = open(argv[2], O_RDWR | O_CLOEXEC);
  if (video < 0) fail(argv[2], strerror(errno));

  snd_pcm_t *pcm;
  snd_pcm_sw_params_t *software;
  snd_pcm_status_t *status;
  snd_pcm_sw_params_alloca(&software);
  snd_pcm_status_alloca(&status);
  check(argv[1], snd_pcm_open(&pcm, argv[1], SND_PCM_STREAM_PLAYBACK, 0));
  // A second of buffer: the guest may be late by hundreds of milliseconds, and an underrun ends the program.
  check("sound format", snd_pcm_set_params(pcm, SND_PCM_FORMAT_S16_LE, SND_PCM_ACCESS_RW_INTERLEAVED, channels, rate, 0, 1000000));
  check("software parameters", snd_pcm_sw_params_current(pcm, software));
  check("timestamps", snd_pcm_sw_params_set_tstamp_mode(pcm, software, SND_PCM_TSTAMP_ENABLE));
  check("monotonic timestamps", snd_pcm_sw_params_set_tstamp_type(pcm, software, SND_PCM_TSTAMP_TYPE_MONOTONIC));
  check("software parameters", snd_pcm_sw_params(pcm, software));

  pthread_t flasher;
  int running = 0;
  const int64_t period = period_ms * rate / 1000;
  int64_t written = 0;
  int16_t sound[chunk * 2];
  while (written < (count + 1) * period) {
    for (int i = 0; i < chunk; i++) {
      int64_t into = (written + i) % period;
      int beeping = written + i >= period && into < beep_ms * rate / 1000;
      double value = quiet * sin(2 * M_PI * fmod(tone_hz * (double)(written + i) / rate, 1));
      if (beeping) value += loud * sin(2 * M_PI * beep_hz * (double)into / rate);
      for (int c = 0; c < channels; c++) sound[i * channels + c] = (int16_t)lrint(value);
    }
    snd_pcm_sframes_t done = snd_pcm_writei(pcm, sound, chunk);
    check("playing", (int)done);
    written += done;

    // The loopback's clock is the kernel's, so the time of a sample follows from that of the start. (The driver's
    // position moves in steps of 4 ms and would be less exact.)
    check("status", snd_pcm_status(pcm, status));
    if (running || snd_pcm_status_get_state(status) != SND_PCM_STATE_RUNNING) continue;
    snd_htimestamp_t started;
    snd_pcm_status_get_trigger_htstamp(status, &started);
    start = started.tv_sec * INT64_C(1000000000) + started.tv_nsec;
    running = 1;
    if (pthread_create(&flasher, NULL, flash, NULL) != 0) fail("thread", "cannot be made");
  }
  pthread_join(flasher, NULL);
  snd_pcm_close(pcm);
  return 0;
}
