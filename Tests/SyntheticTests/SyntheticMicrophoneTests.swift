import Media
import Synthetic
import Testing

func samples(_ microphone: SyntheticMicrophone, from start: Int64, count: Int) -> [Int16] {
  var pcm = [Int16](repeating: 0, count: count * microphone.channels)
  var span = pcm.mutableSpan
  microphone.fill(&span, from: start)
  return pcm
}

@Suite struct SyntheticMicrophoneTests {
  @Test("a beep begins at the very first sample of each second", arguments: [1, 2], [0, -1000, 17_123, 47_000])
  func beepsAtSeconds(_ channels: Int, _ start: Int64) {
    let microphone = SyntheticMicrophone(channels: channels)
    let pcm = samples(microphone, from: start, count: 240_000)
    let onsets = PatternReader.beepOnsets(in: pcm.span, channels: channels)
    // A beep without quiet before it in this stretch is none.
    let expected = (0..<7).map { $0 * 48_000 - Int(start) }.filter { (240..<239_000).contains($0) }
    #expect(onsets.count == expected.count)
    for (found, truth) in zip(onsets, expected) { #expect(abs(found - truth) <= 2) }
  }

  @Test("the marker tone sounds before its end and never after it")
  func marks() {
    let microphone = SyntheticMicrophone(markerUntil: 24_000)
    let pcm = samples(microphone, from: 0, count: 96_000)
    #expect(abs(PatternReader.markerShare(in: pcm.span) - 0.25) < 0.01)
    #expect(PatternReader.markerShare(in: pcm.span.extracting(24_100..<96_000)) == 0)
    #expect(PatternReader.beepOnsets(in: pcm.span).count == 1)
  }

  @Test("blocks of any size join to the same sound, and silence is digital silence")
  func isPure() {
    let microphone = SyntheticMicrophone()
    let whole = samples(microphone, from: 47_000, count: 3000)
    #expect(samples(microphone, from: 47_000, count: 1) + samples(microphone, from: 47_001, count: 2999) == whole)
    var silent = microphone
    silent.isSilent = true
    #expect(samples(silent, from: 47_000, count: 3000).allSatisfy { $0 == 0 })
  }

  @Test("no beep is heard in silence, noise or too few samples")
  func hearsNothing() {
    #expect(PatternReader.beepOnsets(in: [Int16](repeating: 0, count: 48_000).span).isEmpty)
    #expect(PatternReader.beepOnsets(in: [Int16](repeating: 9, count: 10).span).isEmpty)
    #expect(PatternReader.beepOnsets(in: samples(SyntheticMicrophone(), from: 4800, count: 40_000).span).isEmpty)
  }
}
