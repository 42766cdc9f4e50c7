import Media

/// A colour as it is stored: limited-range luma and two chroma values around 128.
struct Colour {
  var luma: UInt8
  var blue: UInt8 = 128
  var red: UInt8 = 128
}

/// A rectangle in pixels.
struct Area {
  var x: Int
  var y: Int
  var width: Int
  var height: Int
}

/// Draws into an I420 picture. Everything is clipped at the picture's edges.
///
/// The only place of this target that writes through pointers: a canvas lives within `withCanvas`, which checks that the
/// bytes hold the whole layout, and every write goes through `run`, which clips to the plane.
struct Canvas {
  private let base: UnsafeMutablePointer<UInt8>
  let layout: I420Layout

  /// Does nothing and returns false if the bytes do not hold a picture of this layout.
  static func withCanvas(
    _ bytes: UnsafeMutableRawBufferPointer, _ layout: I420Layout, _ body: (borrowing Canvas) -> Void
  ) -> Bool {
    guard bytes.count >= layout.byteCount, let base = bytes.baseAddress else { return false }
    body(Canvas(base: base.assumingMemoryBound(to: UInt8.self), layout: layout))
    return true
  }

  /// Copies a whole picture of the same layout.
  func copy(_ picture: [UInt8]) {
    picture.withUnsafeBufferPointer { source in
      guard let start = source.baseAddress else { return }
      base.update(from: start, count: min(source.count, layout.byteCount))
    }
  }

  /// Fills an area; chroma covers every 2 × 2 block that begins in it.
  func fill(_ area: Area, _ colour: Colour) {
    for y in area.y..<area.y + max(0, area.height) { luma(x: area.x, y: y, count: area.width, colour.luma) }
    let first = (area.x + 1) / 2
    let count = (area.x + area.width + 1) / 2 - first
    for y in (area.y + 1) / 2..<max((area.y + 1) / 2, (area.y + area.height + 1) / 2) {
      chroma(x: first, y: y, count: count, colour)
    }
  }

  /// Sets a run of luma.
  func luma(x: Int, y: Int, count: Int, _ value: UInt8) {
    run(
      plane: 0, stride: layout.lumaStride, width: layout.width, height: layout.height, x: x, y: y, count: count, value)
  }

  /// Sets a run of chroma, in chroma coordinates.
  func chroma(x: Int, y: Int, count: Int, _ colour: Colour) {
    let width = layout.width / 2
    let height = layout.height / 2
    let stride = layout.chromaStride
    run(
      plane: layout.blueOffset, stride: stride, width: width, height: height, x: x, y: y, count: count, colour.blue)
    run(plane: layout.redOffset, stride: stride, width: width, height: height, x: x, y: y, count: count, colour.red)
  }

  /// Blends a sign over the luma.
  func draw(_ sprite: GlyphSprite, x: Int, y: Int, luma: UInt8) {
    let columns = max(0, -x)..<max(max(0, -x), min(sprite.width, layout.width - x))
    sprite.coverage.withUnsafeBufferPointer { coverage in
      for row in 0..<sprite.height where (0..<layout.height).contains(y + row) {
        let target = base + (y + row) * layout.lumaStride + x
        let source = row * sprite.width
        for column in columns {
          let cover = Int(coverage[source + column])
          if cover == 0 { continue }
          let below = Int(target[column])
          target[column] = UInt8(truncatingIfNeeded: below + (Int(luma) - below) * cover / 255)
        }
      }
    }
  }

  /// Adds `table[offset...] - bias` to a row of luma, clipped to 1...254.
  func addNoise(y: Int, table: [Int16], offset: Int) {
    guard (0..<layout.height).contains(y), offset >= 0, offset + layout.width <= table.count else { return }
    let row = base + y * layout.lumaStride
    table.withUnsafeBufferPointer { table in
      for x in 0..<layout.width {
        row[x] = UInt8(truncatingIfNeeded: min(254, max(1, Int16(row[x]) + table[offset + x])))
      }
    }
  }

  private func run(
    plane: Int, stride: Int, width: Int, height: Int, x: Int, y: Int, count: Int, _ value: UInt8
  ) {
    let start = max(0, x)
    let end = min(width, x + count)
    guard (0..<height).contains(y), start < end else { return }
    (base + plane + y * stride + start).update(repeating: value, count: end - start)
  }
}
