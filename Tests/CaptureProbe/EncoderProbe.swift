import Glibc
import HardwareCodec
import LinuxIO
import Media

/// Drives a hardware encoder through the library's own driver and prints what comes back, one line a packet. Whatever it
/// codes into: the lab has the kernel's `vicodec`, whose FWHT frames are read here as far as they say what they are.
///
///     CaptureProbe encoders [FORMAT]
///     CaptureProbe encode DEVICE FORMAT WIDTH HEIGHT FPS COUNT
///         [key=N,…] [stop=N] [give-up=N] [dump=FILE] [raw=FILE] [pace]
///
/// `key`: pictures that are to be keyframes. `stop`: streaming ends before this picture and begins again at once; what was
/// in the encoder is given up. `raw`: the pictures, as I420. `pace`: in real time.
enum EncoderProbe {
  static func list(_ arguments: [String]) {
    let format = arguments.count > 1 ? code(arguments[1]) : .h264
    for codec in CodecListing.all(making: format) {
      say(
        "encoder \(codec.path) driver=\(codec.driver) card=\(codec.card) bus=\(codec.bus)"
          + " makes=\(codec.codedFormats.map(\.description).joined(separator: ","))")
    }
  }

  static func encode(_ arguments: [String]) {
    let (width, height) = (CaptureProbe.number(arguments[3]), CaptureProbe.number(arguments[4]))
    guard let layout = I420Layout(width: width, height: height) else {
      say("error no layout")
      exit(2)
    }
    var run = Run(
      layout: layout, count: CaptureProbe.number(arguments[6]),
      interval: Nanoseconds(1_000_000_000 / Int64(max(1, CaptureProbe.number(arguments[5])))),
      keyframes: Set((CaptureProbe.option("key", arguments) ?? "").split(separator: ",").compactMap { Int($0) }),
      stop: CaptureProbe.option("stop", arguments).map(CaptureProbe.number), isPaced: arguments.contains("pace"),
      dump: file("dump", arguments), raw: file("raw", arguments))
    let request = CodecRequest(
      device: arguments[1], coded: code(arguments[2]), width: width, height: height,
      rate: (UInt32(CaptureProbe.number(arguments[5])), 1), codedBytes: 1 << 20,
      // As long as the driver takes: what is a keyframe is to be what was asked for.
      controls: [ControlSetting(.gopSize, 16)])
    do throws(CodecError) {
      try run.run(request)
    } catch {
      say("error kind=\(error.kind) errno=\(error.errno) in=\(run.pictures.count) \(error)")
      exit(1)
    }
  }

  private static func code(_ text: String) -> FourCC {
    FourCC(rawValue: text.utf8.prefix(4).enumerated().reduce(0) { $0 | UInt32($1.element) << (8 * UInt32($1.offset)) })
  }

  private static func file(_ name: String, _ arguments: [String]) -> CInt? {
    CaptureProbe.option(name, arguments).map { open($0, O_WRONLY | O_CREAT | O_TRUNC, 0o644) }
  }

  struct Run {
    let layout: I420Layout
    let count: Int
    let interval: Nanoseconds
    let keyframes: Set<Int>
    let stop: Int?
    let isPaced: Bool
    let dump: CInt?
    let raw: CInt?
    /// By the number of the picture.
    var pictures = PicturesInCodec<Int>()
    var packets = 0
    var unknown = 0
    var skipped = 0
    var givenUp = 0

    mutating func run(_ request: CodecRequest) throws(CodecError) {
      var codec = try M2MCodec.open(request)
      say("granted \(codec.granted)")
      let picture = UnsafeMutableRawBufferPointer.allocate(byteCount: layout.byteCount, alignment: 64)
      defer { picture.deallocate() }
      let start = MonotonicTime.now()
      for number in 0..<count {
        if number == stop {
          try codec.stop()
          givenUp = pictures.count
          pictures.removeAll()
          say("stopped state=\(codec.state) given-up=\(givenUp)")
          try codec.start()
        }
        draw(number, picture)
        if let raw { CaptureProbe.write(picture, layout, to: raw) }
        let time = start + interval * Int64(number)
        if isPaced { MonotonicTime.sleep(until: time) }
        let stamp = pictures.stamp(for: time)
        pictures.give(stamp, at: .now(), number)
        try codec.submit(
          UnsafeRawBufferPointer(picture).bytes, layout, stamp: stamp, isKeyframe: keyframes.contains(number)
        ) { take($0, $1) }
        try codec.collect(until: .now()) { take($0, $1) }
      }
      try codec.drain { take($0, $1) }
      say(
        "end state=\(codec.state) packets=\(packets) skipped=\(skipped) unknown=\(unknown) given-up=\(givenUp)"
          + " left=\(pictures.count)")
    }

    mutating func take(_ bytes: RawSpan, _ facts: CodedFacts) {
      packets += 1
      guard case .picture(let picture, let skippedNow) = pictures.take(facts.stamp) else {
        unknown += 1
        return say("packet unknown stamp=\(facts.stamp)")
      }
      skipped += skippedNow
      say(
        "packet number=\(picture.facts) stamp=\(facts.stamp) equal=\(facts.stamp == picture.stamp)"
          + " bytes=\(bytes.byteCount) damaged=\(facts.isDamaged) intra=\(isIntra(bytes))")
      guard let dump else { return }
      bytes.withUnsafeBytes { _ = Glibc.write(dump, $0.baseAddress, $0.count) }
    }

    /// struct fwht_cframe_hdr: magic, then big-endian words; flags are the sixth, V4L2_FWHT_FL_I_FRAME is bit 10.
    private func isIntra(_ bytes: RawSpan) -> Bool {
      guard bytes.byteCount >= 24 else { return false }
      return bytes.unsafeLoadUnaligned(fromByteOffset: 20, as: UInt32.self).bigEndian & (1 << 10) != 0
    }

    /// A ramp that wanders, different in each plane, so that a shift, a swap or a wrong stride would be seen.
    private func draw(_ number: Int, _ picture: UnsafeMutableRawBufferPointer) {
      func plane(_ offset: Int, _ stride: Int, _ width: Int, _ height: Int, _ step: Int, _ base: Int) {
        for row in 0..<height {
          let line = picture.baseAddress.map { $0 + offset + row * stride }
          guard let line else { return }
          let shade = base + (row / 8 + number * step) % 96
          memset(line, CInt(shade), width)
          memset(line + (number * 4 + row / 4) % (width - 16), CInt(base + 100), 16)
        }
      }
      let (width, height) = (layout.width, layout.height)
      plane(0, layout.lumaStride, width, height, 1, 40)
      plane(layout.blueOffset, layout.chromaStride, width / 2, height / 2, 2, 60)
      plane(layout.redOffset, layout.chromaStride, width / 2, height / 2, 3, 100)
    }
  }
}
