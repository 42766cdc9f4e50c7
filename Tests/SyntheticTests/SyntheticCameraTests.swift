import Media
import Synthetic
import Testing

/// A drawn picture and its reading.
struct Drawn {
  var layout: I420Layout
  var bytes: [UInt8]

  init(_ camera: SyntheticCamera, frame: UInt32, time: Nanoseconds) {
    layout = camera.layout
    bytes = [UInt8](repeating: 0, count: layout.byteCount)
    let isDrawn = bytes.withUnsafeMutableBytes { camera.draw(frame: frame, time: time, into: $0) }
    #expect(isDrawn)
  }

  func read() -> FrameReading? {
    bytes.withUnsafeBytes {
      PatternReader.read(luma: $0.bytes, width: layout.width, height: layout.height, stride: layout.lumaStride)
    }
  }
}

let sizes = [(320, 180), (640, 360), (640, 480), (1280, 720), (1920, 1080), (176, 144)]

@Suite struct SyntheticCameraTests {
  @Test("a drawn picture says its number, its time to the microsecond, and whether it is a flash", arguments: sizes)
  func readsBack(_ width: Int, _ height: Int) throws {
    let layout = try #require(I420Layout(width: width, height: height))
    let camera = SyntheticCamera(layout: layout, frameInterval: .milliseconds(40))
    for (frame, time) in [
      (0, Nanoseconds.zero), (1, .milliseconds(40)), (25, .seconds(1)), (.max, .microseconds(0x1234_5678_9abc)),
      (0x5555_5555, .microseconds(999_999)), (3, .microseconds(1_039_999)), (4, .microseconds(1_040_000)),
    ] as [(UInt32, Nanoseconds)] {
      let reading = try #require(Drawn(camera, frame: frame, time: time).read(), "frame \(frame)")
      #expect(reading.counter == frame)
      #expect(reading.time == time)
      #expect(reading.isFlash == (time.count % 1_000_000_000 < 40_000_000))
    }
  }

  @Test("exactly one frame of each second flashes, at usual rates", arguments: [10.0, 15, 24, 25, 29.97, 30, 50, 60])
  func oneFlashASecond(_ rate: Double) throws {
    let layout = try #require(I420Layout(width: 320, height: 180))
    let camera = SyntheticCamera(layout: layout, frameInterval: Nanoseconds(Int64((1e9 / rate).rounded())))
    var flashes: [Int64: Int] = [:]
    for frame in 0..<Int64(rate * 10) {
      let time = Nanoseconds(Int64((Double(frame) * 1e9 / rate).rounded()))
      if camera.isFlash(time) { flashes[time.count / 1_000_000_000, default: 0] += 1 }
    }
    #expect(flashes == Dictionary(uniqueKeysWithValues: (0..<10).map { ($0, 1) }))
  }

  @Test("a picture that is too small is not drawn into")
  func refusesSmallBuffers() throws {
    let layout = try #require(I420Layout(width: 320, height: 180))
    let camera = SyntheticCamera(layout: layout, frameInterval: .milliseconds(40))
    var bytes = [UInt8](repeating: 7, count: layout.byteCount - 1)
    let isDrawn = bytes.withUnsafeMutableBytes { camera.draw(frame: 1, time: .zero, into: $0) }
    #expect(!isDrawn)
    #expect(bytes.allSatisfy { $0 == 7 })
  }

  @Test("the same frame is the same picture, the next one is not; noise changes the picture and not what it says")
  func isPure() throws {
    let layout = try #require(I420Layout(width: 320, height: 180))
    let camera = SyntheticCamera(layout: layout, frameInterval: .milliseconds(40))
    let first = Drawn(camera, frame: 5, time: .milliseconds(200))
    #expect(first.bytes == Drawn(camera, frame: 5, time: .milliseconds(200)).bytes)
    #expect(first.bytes != Drawn(camera, frame: 6, time: .milliseconds(240)).bytes)
    let noisy = Drawn(
      SyntheticCamera(layout: layout, frameInterval: .milliseconds(40), noise: 120), frame: 5, time: .milliseconds(200))
    #expect(zip(first.bytes, noisy.bytes).count { $0 != $1 } > layout.width * layout.height / 2)
    #expect(noisy.read() == first.read())
  }

  @Test("pictures of something else are not read")
  func refusesOtherPictures() throws {
    let layout = try #require(I420Layout(width: 320, height: 180))
    let camera = SyntheticCamera(layout: layout, frameInterval: .milliseconds(40))
    for grey in [0, 16, 128, 235, 255] as [UInt8] {
      var drawn = Drawn(camera, frame: 5, time: .milliseconds(200))
      drawn.bytes = drawn.bytes.map { _ in grey }
      #expect(drawn.read() == nil, "grey \(grey)")
    }
    var damaged = Drawn(camera, frame: 5, time: .milliseconds(200))
    // The first block of the counter becomes white.
    for y in 150..<160 { for x in 0..<10 { damaged.bytes[y * layout.lumaStride + x] = 235 } }
    #expect(damaged.read() == nil)
    let short = [UInt8](repeating: 0, count: 100)
    #expect(PatternReader.read(luma: short.span.bytes, width: 320, height: 180, stride: 320) == nil)
  }
}
