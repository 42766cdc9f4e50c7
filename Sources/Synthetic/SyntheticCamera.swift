public import Media

/// A camera made of nothing: a test picture that people like to look at and machines can read (`PatternReader`).
///
/// Colour bars and a grey ramp, a clock and a frame counter, a ball that touches the ground and a patch that flashes at each
/// whole second, together with the beep of `SyntheticMicrophone`. Pure: the same arguments give the same picture.
public struct SyntheticCamera: Sendable {
  public let layout: I420Layout
  /// The nominal time between frames: the flash is the first frame at or after each whole second.
  public let frameInterval: Nanoseconds
  /// The largest change of a pixel's luma by noise, 0...120; 0 is none. It spares text and blocks.
  public let noise: Int

  /// The parts that never change.
  private let background: [UInt8]
  private let clockDigits: [GlyphSprite]
  private let counterDigits: [GlyphSprite]
  private let noiseTable: [Int16]
  /// Pixels for one of 320 columns and one of 180 rows, on which the picture is laid out.
  private let column: Double
  private let row: Double

  private static let clockY = 36.0
  private static let counterY = 66.0
  private static let margin = 12.0
  private static let noiseLength = 1 << 16

  /// Costs the time of some 100 frames, and a picture of memory.
  public init(layout: I420Layout, frameInterval: Nanoseconds, noise: Int = 0) {
    self.layout = layout
    self.frameInterval = frameInterval
    self.noise = min(120, max(0, noise))
    column = Double(layout.width) / 320
    row = Double(layout.height) / 180
    let cell = min(column, row)
    clockDigits = (0...9).map { GlyphSprite(BitmapFont.digit($0), cell: cell * 3) }
    counterDigits = (0...9).map { GlyphSprite(BitmapFont.digit($0), cell: cell * 2) }

    var state: UInt64 = 0x4c61_7065_6c00_0001
    let span = UInt64(2 * self.noise + 1)
    noiseTable =
      self.noise == 0
      ? []
      : (0..<Self.noiseLength + layout.width).map { _ in
        state = Self.scramble(state &+ 0x9e37_79b9_7f4a_7c15)
        return Int16(state >> 32 % span) - Int16(span / 2)
      }

    var picture = [UInt8](repeating: 128, count: layout.byteCount)
    let (column, row) = (column, row)
    picture.withUnsafeMutableBytes { bytes in
      _ = Canvas.withCanvas(bytes, layout) { Self.drawBackground($0, column: column, row: row, cell: cell) }
    }
    background = picture
  }

  /// Draws frame `frame`, whose exposure began `time` after the epoch, into an I420 picture of the camera's layout.
  ///
  /// Returns false, and draws nothing, if `picture` is too small. Allocates nothing; about the cost of a copy.
  @discardableResult
  public func draw(frame: UInt32, time: Nanoseconds, into picture: UnsafeMutableRawBufferPointer) -> Bool {
    Canvas.withCanvas(picture, layout) { canvas in
      canvas.copy(background)
      drawNoise(canvas, frame: frame)
      drawBall(canvas, time: time)
      drawClock(canvas, time: time)
      drawNumber(
        canvas, UInt64(frame), digits: 8, counterDigits, x: Self.margin * column + 6 * step(counterDigits),
        y: Self.counterY * row)
      let patch = PatternCode.flash(width: layout.width, height: layout.height)
      canvas.fill(patch, Colour(luma: isFlash(time) ? 235 : 20))
      drawCode(canvas, PatternCode(counter: frame, microseconds: UInt64(max(0, time.inMicroseconds))))
    }
  }

  /// Whether the frame of this time after the epoch is the first at or after a whole second.
  public func isFlash(_ time: Nanoseconds) -> Bool {
    time >= .zero && time.count % 1_000_000_000 < frameInterval.count
  }

  // MARK: - What changes

  private func drawNoise(_ canvas: borrowing Canvas, frame: UInt32) {
    guard noise > 0 else { return }
    for y in 0..<layout.height * 15 / 18 {
      let offset = Self.scramble(UInt64(frame) << 32 | UInt64(y)) % UInt64(Self.noiseLength)
      canvas.addNoise(y: y, table: noiseTable, offset: Int(offset))
    }
  }

  private func drawBall(_ canvas: borrowing Canvas, time: Nanoseconds) {
    let radius = 13 * min(column, row)
    let second = Double(((time.count % 1_000_000_000) + 1_000_000_000) % 1_000_000_000) / 1e9
    let path = Double(((time.count % 8_000_000_000) + 8_000_000_000) % 8_000_000_000) / 4e9
    let across = path < 1 ? path : 2 - path
    let x = radius + across * (Double(layout.width) - 2 * radius)
    // Free fall: on the ground at each whole second.
    let ground = 146 * row - radius
    let y = ground - 4 * second * (1 - second) * 30 * row
    disc(canvas, x: x, y: y, radius: radius, Colour(luma: 60, blue: 116, red: 168))
    disc(canvas, x: x, y: y, radius: radius - 1.5 * row, Colour(luma: 160, blue: 58, red: 172))
    disc(
      canvas, x: x - radius * 0.3, y: y - radius * 0.35, radius: radius * 0.25, Colour(luma: 218, blue: 100, red: 142))
  }

  private func disc(_ canvas: borrowing Canvas, x: Double, y: Double, radius: Double, _ colour: Colour) {
    guard radius > 0 else { return }
    for line in Int(y - radius)...Int(y + radius) {
      let away = Double(line) + 0.5 - y
      let half = max(0, radius * radius - away * away).squareRoot()
      let start = Int((x - half).rounded())
      let count = Int((x + half).rounded()) - start
      canvas.luma(x: start, y: line, count: count, colour.luma)
      if line % 2 == 0 { canvas.chroma(x: start / 2, y: line / 2, count: (count + 1) / 2, colour) }
    }
  }

  private func drawClock(_ canvas: borrowing Canvas, time: Nanoseconds) {
    let milliseconds = UInt64(max(0, time.inMilliseconds))
    let step = step(clockDigits)
    let x = Self.margin * column
    let y = Self.clockY * row
    drawNumber(canvas, milliseconds / 3_600_000, digits: 2, clockDigits, x: x, y: y)
    drawNumber(canvas, milliseconds / 60_000 % 60, digits: 2, clockDigits, x: x + 3 * step, y: y)
    drawNumber(canvas, milliseconds / 1000 % 60, digits: 2, clockDigits, x: x + 6 * step, y: y)
    drawNumber(canvas, milliseconds % 1000, digits: 3, clockDigits, x: x + 9 * step, y: y)
  }

  private func step(_ digits: [GlyphSprite]) -> Double { Double(digits[0].width) }

  private func drawNumber(
    _ canvas: borrowing Canvas, _ value: UInt64, digits: Int, _ sprites: [GlyphSprite], x: Double, y: Double
  ) {
    var rest = value
    for place in (0..<digits).reversed() {
      canvas.draw(
        sprites[Int(rest % 10)], x: Int(x.rounded()) + place * sprites[0].width, y: Int(y.rounded()), luma: 235)
      rest /= 10
    }
  }

  private func drawCode(_ canvas: borrowing Canvas, _ code: PatternCode) {
    drawWord(canvas, code.words.0, row: 0)
    drawWord(canvas, code.words.1, row: 1)
    drawWord(canvas, code.words.2, row: 2)
  }

  private func drawWord(_ canvas: borrowing Canvas, _ word: UInt32, row: Int) {
    for column in 0..<PatternCode.columns {
      let isBright = word >> UInt32(PatternCode.columns - 1 - column) & 1 == 1
      let block = PatternCode.block(row: row, column: column, width: layout.width, height: layout.height)
      let value = isBright ? PatternCode.bright : PatternCode.dark
      for y in block.y..<block.y + block.height { canvas.luma(x: block.x, y: y, count: block.width, value) }
    }
  }

  // MARK: - What does not

  private static func drawBackground(_ canvas: borrowing Canvas, column: Double, row: Double, cell: Double) {
    let layout = canvas.layout
    let height = layout.height
    func mix(_ a: Double, _ b: Double, _ share: Double) -> UInt8 { UInt8((a + (b - a) * share).rounded()) }
    // Night above, dusk below.
    for y in 0..<height {
      let share = min(1, Double(y) / (88 * row))
      canvas.luma(x: 0, y: y, count: layout.width, mix(26, 62, share))
      if y % 2 == 0 {
        canvas.chroma(
          x: 0, y: y / 2, count: layout.width / 2,
          Colour(luma: 0, blue: mix(146, 158, share), red: mix(120, 134, share)))
      }
    }
    // 75 % bars (ITU-R BT.601), then a ramp from black to white.
    let bars = [
      Colour(luma: 180), Colour(luma: 162, blue: 44, red: 142), Colour(luma: 131, blue: 156, red: 44),
      Colour(luma: 112, blue: 72, red: 58), Colour(luma: 84, blue: 184, red: 198),
      Colour(luma: 65, blue: 100, red: 212),
      Colour(luma: 35, blue: 212, red: 114), Colour(luma: 16),
    ]
    let top = Int(92 * row)
    let middle = Int(132 * row)
    let bottom = height * 15 / 18
    for (index, bar) in bars.enumerated() {
      let x = index * layout.width / bars.count
      canvas.fill(
        Area(x: x, y: top, width: (index + 1) * layout.width / bars.count - x, height: middle - top), bar)
    }
    for index in 0..<64 {
      let x = index * layout.width / 64
      canvas.fill(
        Area(x: x, y: middle, width: (index + 1) * layout.width / 64 - x, height: height - middle),
        Colour(luma: mix(16, 235, Double(index) / 63)))
    }
    canvas.fill(Area(x: 0, y: bottom - Int(3 * row), width: layout.width, height: height), Colour(luma: 16))

    let patch = PatternCode.flash(width: layout.width, height: height)
    let frame = Int((2 * cell).rounded(.up))
    canvas.fill(
      Area(x: patch.x - frame, y: patch.y - frame, width: patch.width + 2 * frame, height: patch.height + 2 * frame),
      Colour(luma: 120))
    text(canvas, "LAPEL SYNTHETIC", cell: cell * 2, x: margin * column, y: 12 * row, luma: 200)
    text(canvas, "  :  :  .   ", cell: cell * 3, x: margin * column, y: clockY * row, luma: 235)
    text(canvas, "FRAME", cell: cell * 2, x: margin * column, y: counterY * row, luma: 150)
  }

  private static func text(
    _ canvas: borrowing Canvas, _ text: String, cell: Double, x: Double, y: Double, luma: UInt8
  ) {
    var x = Int(x.rounded())
    for sign in text {
      let sprite = GlyphSprite(BitmapFont.glyph(sign), cell: cell)
      canvas.draw(sprite, x: x, y: Int(y.rounded()), luma: luma)
      x += sprite.width
    }
  }

  /// The finalizer of splitmix64: spreads every bit of the input over all of the output.
  static func scramble(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}
