// Records what is played into snd-aloop, and says when.
//
//   hear_tones PCM SAMPLES
//
// Writes 48 kHz, 16 bit, one channel into the file SAMPLES until it is killed. A line for each piece: the number of its first sample,
// and when that was played, in ns of CLOCK_MONOTONIC. It fails when a sample was lost.

#include <alsa/asoundlib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { rate = 48000, chunk = rate / 50 };

static void check(const char *what, long result) {
  if (result >= 0) return;
  fprintf(stderr, "hear_tones: %s: %s\n", what, snd_strerror((int)result));
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: hear_tones PCM SAMPLES\n");
    return 2;
  }
  FILE *samples = fopen(argv[2], "w");
  if (!samples) {
    perror(argv[2]);
    return 1;
  }
  snd_pcm_t *pcm;
  snd_pcm_sw_params_t *software;
  snd_pcm_sw_params_alloca(&software);
  check(argv[1], snd_pcm_open(&pcm, argv[1], SND_PCM_STREAM_CAPTURE, 0));
  // Two seconds of buffer: the guest may be late by hundreds of milliseconds.
  check("sound format", snd_pcm_set_params(pcm, SND_PCM_FORMAT_S16_LE, SND_PCM_ACCESS_RW_INTERLEAVED, 1, rate, 0, 2000000));
  check("software parameters", snd_pcm_sw_params_current(pcm, software));
  check("timestamps", snd_pcm_sw_params_set_tstamp_mode(pcm, software, SND_PCM_TSTAMP_ENABLE));
  check("monotonic timestamps", snd_pcm_sw_params_set_tstamp_type(pcm, software, SND_PCM_TSTAMP_TYPE_MONOTONIC));
  check("software parameters", snd_pcm_sw_params(pcm, software));
  check("start", snd_pcm_start(pcm));
  int64_t first = 0;
  int16_t sound[chunk];
  for (;;) {
    check("waiting", snd_pcm_wait(pcm, 1000));
    snd_pcm_uframes_t waiting;
    snd_htimestamp_t stamp;
    check("timestamp", snd_pcm_htimestamp(pcm, &waiting, &stamp));
    if (waiting < chunk) continue;
    int64_t time = stamp.tv_sec * INT64_C(1000000000) + stamp.tv_nsec - (int64_t)waiting * 1000000000 / rate;
    snd_pcm_sframes_t count = snd_pcm_readi(pcm, sound, chunk);
    check("recording", count);
    if (fwrite(sound, 2, (size_t)count, samples) != (size_t)count || fflush(samples) != 0) check("writing", -EIO);
    printf("%lld %lld\n", (long long)first, (long long)time);
    fflush(stdout);
    first += count;
  }
}
