import Testing

@testable import Encoding

@Suite struct SequenceParameterSetTests {
  @Test("size, profile, level and scanning are what ffprobe says, with cropping, scaling matrices and fields")
  func recorded() throws {
    for sequence in RecordedStreams.sequences {
      let set = try #require(SequenceParameterSet(RecordedUnit(4, sequence.base64).bytes))
      #expect(set.width == sequence.width)
      #expect(set.height == sequence.height)
      #expect(set.profile == sequence.profile)
      #expect(set.level == sequence.level)
      #expect(set.isProgressive == sequence.isProgressive)
    }
  }

  @Test("other chroma than 4:2:0, other units, and every cut of a set are refused or read without harm")
  func broken() {
    #expect(SequenceParameterSet(RecordedUnit(4, RecordedStreams.sequenceOfFullChroma).bytes) == nil)
    #expect(SequenceParameterSet(RecordedStreams.slices[2].bytes) == nil)
    for sequence in RecordedStreams.sequences {
      let bytes = RecordedUnit(4, sequence.base64).bytes
      for count in 0..<8 { #expect(SequenceParameterSet(Array(bytes.prefix(count))) == nil) }
      // The rest only has to be survived: what follows the cropping is not read.
      for count in 8..<bytes.count { _ = SequenceParameterSet(Array(bytes.prefix(count))) }
      for index in bytes.indices {
        var changed = bytes
        changed[index] ^= 0xFF
        _ = SequenceParameterSet(changed)
      }
    }
  }

  @Test("the lowest level that holds a picture and its rate is taken, 3 at least")
  func levels() {
    #expect(H264Level.least(width: 640, height: 360, framesPerSecond: 30) == 30)
    #expect(H264Level.least(width: 1280, height: 720, framesPerSecond: 30) == 31)
    #expect(H264Level.least(width: 1280, height: 720, framesPerSecond: 60) == 32)
    #expect(H264Level.least(width: 1920, height: 1080, framesPerSecond: 30) == 40)
    #expect(H264Level.least(width: 1920, height: 1080, framesPerSecond: 60) == 42)
    #expect(H264Level.least(width: 3840, height: 2160, framesPerSecond: 30) == 51)
    #expect(H264Level.least(width: 8192, height: 8192, framesPerSecond: 240) == 52)
  }
}
