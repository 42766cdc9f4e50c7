import Media
import Testing

@testable import Indicators

@Suite("The samples of a tone")
struct ToneSynthTests {
  /// What is heard from 0 to `milliseconds`, at 48 kHz, in blocks of 10 ms as a speaker asks for them.
  func heard(
    _ edges: [(Bool, Int64)], milliseconds: Int, frequency: Int = 1_000, volume: Int = 50, channels: Int = 1
  ) -> [Int16] {
    var synth = ToneSynth(rate: 48_000, frequency: frequency, volume: volume)
    for (isOn, at) in edges { synth.take(ToneEdge(isOn: isOn, time: moment(at))) }
    return rendered(&synth, from: 0, milliseconds: milliseconds, channels: channels)
  }

  func rendered(_ synth: inout ToneSynth, from: Int64, milliseconds: Int, channels: Int = 1) -> [Int16] {
    var samples = [Int16](repeating: 1, count: 48 * milliseconds * channels)
    samples.withUnsafeMutableBufferPointer { buffer in
      for start in stride(from: 0, to: milliseconds, by: 10) {
        let first = start * 48 * channels
        let block = UnsafeMutableBufferPointer(rebasing: buffer[first..<(first + 480 * channels)])
        synth.render(into: block, channels: channels, from: moment(from + Int64(start)))
      }
    }
    return samples
  }

  func moment(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: 0) + .milliseconds(milliseconds) }

  /// The spans in which something is heard, in ms; silence within is shorter than a ms.
  func spans(_ samples: [Int16]) -> [ClosedRange<Int>] {
    var spans: [ClosedRange<Int>] = []
    for millisecond in 0..<(samples.count / 48) {
      guard samples[(millisecond * 48)..<(millisecond * 48 + 48)].contains(where: { $0 != 0 }) else { continue }
      if let last = spans.last, last.upperBound == millisecond - 1 {
        spans[spans.count - 1] = last.lowerBound...millisecond
      } else {
        spans.append(millisecond...millisecond)
      }
    }
    return spans
  }

  @Test("a tone begins and ends where it was asked for, within the ramp; without an edge there is silence")
  func edges() {
    let samples = heard([(true, 25), (false, 85), (true, 145), (false, 205)], milliseconds: 300)
    #expect(spans(samples) == [25...88, 145...208])
    #expect(spans(heard([], milliseconds: 100)).isEmpty)
  }

  @Test("the pitch is the one asked for", arguments: [440, 1_000, 2_700, 15_000])
  func pitch(frequency: Int) {
    let samples = heard([(true, 0)], milliseconds: 1_010, frequency: frequency)[480...]
    let crossings = zip(samples, samples.dropFirst()).count { $0 < 0 && $1 >= 0 }
    #expect(abs(crossings - frequency) <= 1)
  }

  @Test("the volume is a part of full scale, and all of it does not overflow", arguments: [1, 50, 100])
  func volume(percent: Int) {
    let loudest = heard([(true, 0)], milliseconds: 100, volume: percent).map { abs(Int($0)) }.max() ?? 0
    #expect(abs(loudest - 32_767 * percent / 100) <= 33 * percent / 100 + 1)
  }

  @Test("an edge is no click: no step is larger than the tone's own")
  func ramps() {
    let amplitude = 32_767.0 / 2
    let own = amplitude * 2 * Double.pi * 1_000 / 48_000
    let samples = heard([(true, 3), (false, 33), (true, 34), (false, 90)], milliseconds: 120)
    let steps = zip(samples, samples.dropFirst()).map { abs(Double($1) - Double($0)) }
    // The ramp itself adds its steepest part: 1.5 of the amplitude over its length.
    #expect((steps.max() ?? 0) <= own + 1.5 * amplitude / 192 + 1)
    #expect(samples.last == 0)
  }

  @Test("all channels have the same")
  func channels() {
    let samples = heard([(true, 10), (false, 30)], milliseconds: 50, channels: 2)
    #expect(stride(from: 0, to: samples.count, by: 2).allSatisfy { samples[$0] == samples[$0 + 1] })
    #expect(samples.contains { $0 != 0 })
  }

  @Test("what was asked for before the first sample counts at once; what was over by then is not heard")
  func late() {
    var synth = ToneSynth(rate: 48_000, frequency: 1_000, volume: 50)
    synth.take(ToneEdge(isOn: true, time: moment(100)))
    synth.take(ToneEdge(isOn: false, time: moment(160)))
    synth.take(ToneEdge(isOn: true, time: moment(200)))
    #expect(spans(rendered(&synth, from: 500, milliseconds: 50)) == [0...49])
    #expect(!synth.isSilent)
    synth.take(ToneEdge(isOn: false, time: moment(300)))
    #expect(spans(rendered(&synth, from: 550, milliseconds: 50)) == [0...3])
    #expect(synth.isSilent)
    synth.take(ToneEdge(isOn: true, time: moment(310)))
    synth.take(ToneEdge(isOn: false, time: moment(370)))
    #expect(!synth.isSilent)
    #expect(spans(rendered(&synth, from: 600, milliseconds: 50)).isEmpty)
    #expect(synth.isSilent)
  }

  @Test("edges without end leave the level of the last one")
  func flood() {
    for isOn in [true, false] {
      var synth = ToneSynth(rate: 48_000, frequency: 1_000, volume: 50)
      for index in 0..<1_001 {
        synth.take(ToneEdge(isOn: isOn == (index % 2 == 0), time: moment(Int64(index))))
      }
      let samples = rendered(&synth, from: 0, milliseconds: 1_100)
      #expect((samples.suffix(480).contains { $0 != 0 }) == isOn)
    }
  }
}
