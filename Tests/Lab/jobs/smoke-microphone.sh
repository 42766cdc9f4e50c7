# The lab's own proof: what is played into the loopback is what a microphone captures.
. "$LAB/guest.sh"
need arecord aplay sox

microphone
warm arecord --version
play_tone 1000 20
arecord -q -D "$MICROPHONE" -f S16_LE -r 48000 -c 1 -d 3 "$RESULTS/tone.wav" || fail "arecord does not capture"

# Half of full scale is an RMS of 0.354; next to nothing may be left without the band around 1 kHz
# (but for the ends, where the filter itself rings).
rms() { sox "$RESULTS/tone.wav" -n "$@" trim 0.2 2.6 stat 2>&1 | sed -n 's/^RMS.*amplitude: *//p'; }
length=$(sox "$RESULTS/tone.wav" -n stat 2>&1 | sed -n 's/^Length (seconds): *//p')
whole=$(rms) rest=$(rms sinc -t 50 1200-800)
awk -v l="$length" 'BEGIN { exit !(l == 3) }' || fail "captured $length s instead of 3"
awk -v w="$whole" 'BEGIN { exit !(w > 0.34 && w < 0.37) }' || fail "RMS is $whole: not the tone at half of full scale"
awk -v r="$rest" 'BEGIN { exit !(r < 0.001) }' || fail "RMS outside the tone's band is $rest"
say "3 s captured: RMS $whole, outside 800-1200 Hz $rest"
