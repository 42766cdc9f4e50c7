import Camera
import Media
import Testing

@testable import Devices

@Suite("Snapshots")
struct SnapshotTests {
  /// Markers up to the picture's data: their codes.
  func markers(_ jpeg: [UInt8]) -> [UInt8] {
    var found: [UInt8] = []
    var offset = 2
    while offset + 4 <= jpeg.count, jpeg[offset] == 0xFF {
      found.append(jpeg[offset + 1])
      if jpeg[offset + 1] == 0xDA { break }
      offset += 2 + (Int(jpeg[offset + 2]) << 8 | Int(jpeg[offset + 3]))
    }
    return found
  }

  func synthetic() throws -> [UInt8] {
    try Snapshot.synthetic(size: FrameSize(width: 320, height: 180)).jpeg
  }

  @Test("the made-up camera's picture is a JPEG of the size asked for")
  func size() throws {
    let jpeg = try synthetic()
    #expect(jpeg.prefix(2) == [0xFF, 0xD8] && jpeg.suffix(2) == [0xFF, 0xD9])
    let frame = try #require(jpeg.indices.dropLast(9).first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
    #expect(jpeg[(frame + 5)...(frame + 8)] == [0, 180, 1, 64])
    #expect(throws: SnapshotError.self) { try Snapshot.synthetic(size: FrameSize(width: 321, height: 180)) }
  }

  @Test("white of limited range becomes white, and of full range stays what it is")
  func range() throws {
    let layout = try #require(I420Layout(width: 64, height: 64))
    var white = [UInt8](repeating: 128, count: layout.byteCount)
    for index in 0..<layout.blueOffset { white[index] = 235 }
    let limited = try #require(Snapshot.encode(white, layout: layout, matrix: 6, isFullRange: false))
    let full = try #require(Snapshot.encode(white, layout: layout, matrix: 6, isFullRange: true))
    #expect(limited != full)
    for index in 0..<layout.blueOffset { white[index] = 255 }
    #expect(try #require(Snapshot.encode(white, layout: layout, matrix: 6, isFullRange: true)) == limited)
    #expect(Snapshot.encode([], layout: layout, matrix: 6, isFullRange: true) == nil)
  }

  @Test("tables that Motion JPEG leaves out are put back, before the data; a picture that has them stays as it is")
  func tables() throws {
    let whole = try synthetic()
    #expect(JPEGFile.complete(whole) == whole)
    // libjpeg writes a segment for each table.
    var bare = Array(whole[..<2])
    var offset = 2
    while whole[offset + 1] != 0xDA {
      let next = offset + 2 + (Int(whole[offset + 2]) << 8 | Int(whole[offset + 3]))
      if whole[offset + 1] != 0xC4 { bare += whole[offset..<next] }
      offset = next
    }
    bare += whole[offset...]
    #expect(!markers(bare).contains(0xC4))
    let repaired = try #require(JPEGFile.complete(bare))
    #expect(markers(repaired).suffix(2) == [0xC4, 0xDA])
    // The same bytes of tables, in one segment rather than four.
    #expect(repaired.count == whole.count - 3 * 4)
  }

  @Test("zeros behind a picture are cut off; what is no JPEG or has no end is none")
  func ends() throws {
    let whole = try synthetic()
    #expect(JPEGFile.complete(whole + [UInt8](repeating: 0, count: 4_096)) == whole)
    #expect(JPEGFile.complete(Array(whole.dropLast(2))) == nil)
    #expect(JPEGFile.complete([]) == nil && JPEGFile.complete([0xFF, 0xD8, 0xFF, 0xD9]) == nil)
    #expect(JPEGFile.complete([UInt8](repeating: 0x55, count: 400)) == nil)
  }

  @Test("a camera that a recorder has is not touched, and the recorder is named")
  func inUse() {
    var inventory = DeviceInventory()
    inventory.cameras = [SampleMachine.entry(SampleMachine.camera("/dev/video9"), users: ["lapel (812)"])]
    #expect(throws: SnapshotError.inUse("/dev/video9", "lapel (812)")) {
      try Snapshot.take(device: "/dev/video9", size: nil, inventory: inventory)
    }
    inventory.cameras = [SampleMachine.entry(SampleMachine.sensor)]
    #expect(throws: SnapshotError.bareSensor("unicam")) {
      try Snapshot.take(device: "unicam", size: nil, inventory: inventory)
    }
  }

  @Test("a size is asked for at the fastest usual rate at which it is offered")
  func rate() {
    let size = FrameSize(width: 1_280, height: 720)
    let raw = SampleMachine.webcamFormats.filter { $0.pixelFormat == .yuyv }
    #expect(Snapshot.mode(size: size, offers: raw)?.framesPerSecond == 10)
    #expect(Snapshot.mode(size: size, offers: SampleMachine.webcamFormats)?.framesPerSecond == 30)
  }
}
