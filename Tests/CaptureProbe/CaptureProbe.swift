import Camera
import Glibc
import LinuxIO
import Media
import Microphone

/// Captures from a real device and prints what came, one line a frame or a block, for the lab's jobs to judge.
///
///     CaptureProbe list
///     CaptureProbe camera DEVICE WIDTH HEIGHT FPS FORMAT|auto COUNT [reopen] [dump=FILE]
///     CaptureProbe microphone DEVICE CHANNELS SECONDS [dump=FILE] [reopen]
///
/// and, of ButtonProbe, `buttons` and `button`; of EncoderProbe, `encoders` and `encode`.
@main
enum CaptureProbe {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "list": list()
    case "camera" where arguments.count >= 7: camera(arguments)
    case "microphone" where arguments.count >= 4: microphone(arguments)
    case "buttons": ButtonProbe.list()
    case "button" where arguments.count >= 4: ButtonProbe.watch(arguments)
    case "encoders": EncoderProbe.list(arguments)
    case "encode" where arguments.count >= 7: EncoderProbe.encode(arguments)
    default:
      say("usage: CaptureProbe list | camera … | microphone … | buttons | button … | encoders | encode …")
      exit(2)
    }
  }

  static func list() {
    for camera in CameraListing.all() {
      say("camera \(camera.path) driver=\(camera.driver) card=\(camera.card) bus=\(camera.bus)")
      for offer in camera.formats {
        say("  \(offer.pixelFormat) \(offer.sizes.map(\.description).joined(separator: ", "))")
      }
    }
    for microphone in MicrophoneListing.all() { say("microphone \(microphone)") }
  }

  // MARK: - Camera

  static func camera(_ arguments: [String]) {
    let format = arguments[5] == "auto" ? nil : PixelFormat.supported.first { $0.description == arguments[5] }
    let request = CameraRequest(
      device: arguments[1], size: FrameSize(width: number(arguments[2]), height: number(arguments[3])),
      rate: FrameRate(perSecond: UInt32(number(arguments[4]))), pixelFormat: format)
    let dump = option("dump", arguments).map { open($0, O_WRONLY | O_CREAT | O_TRUNC, 0o644) }
    var rest = number(arguments[6])
    repeat {
      do {
        try stream(request, count: &rest, dump: dump)
      } catch {
        say("error kind=\(error.kind) errno=\(error.errno) \(error)")
        guard arguments.contains("reopen") else { exit(1) }
        rest -= 1
        usleep(200_000)
      }
    } while rest > 0
  }

  static func stream(_ request: CameraRequest, count: inout Int, dump: CInt?) throws(CameraError) {
    var camera = try V4L2Camera(request)
    let granted = camera.granted
    say(
      "granted \(granted.format) planes=\(granted.layout.pieceCount) multiplanar=\(granted.isMultiplanar)"
        + " buffers=\(granted.bufferCount) clock=\(granted.clock) end=\(granted.stampsEndOfFrame)"
        + " full=\(granted.isFullRange) matrix=\(granted.matrix) path=\(granted.path) bus=\(granted.bus)")
    guard let layout = I420Layout(width: granted.format.size.width, height: granted.format.size.height),
      let converter = PixelConverter(source: granted.layout, target: layout)
    else { return say("error no converter") }
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: layout.byteCount, alignment: 64)
    defer { target.deallocate() }
    var previous: MonotonicTime?
    while count > 0 {
      count -= 1
      let capture = try camera.capture(timeout: .seconds(1)) { frame -> String in
        do throws(ConversionError) {
          try converter.convert(frame, into: target)
          return "ok"
        } catch {
          return "unconverted(\(error))"
        }
      }
      switch capture {
      case .frame(let outcome, let info):
        say("frame \(outcome) \(describe(info, previous: previous)) checksum=\(checksum(target, layout))")
        previous = info.time
        if let dump { write(target, layout, to: dump) }
      case .damaged(let info):
        say("damaged \(describe(info, previous: previous))")
        previous = info.time
      case .timedOut: say("timeout")
      }
    }
    say("end refused=\(camera.refusedBuffers)")
  }

  static func describe(_ info: FrameInfo, previous: MonotonicTime?) -> String {
    let now = MonotonicTime.now()
    return "position=\(info.position) lost=\(info.lostBefore) time=\(info.time.nanoseconds / 1_000)us"
      + " step=\(previous.map { (info.time - $0).inMicroseconds } ?? 0)us age=\((now - info.time).inMicroseconds)us"
      + " fault=\(info.timeFault.map { "\($0)" } ?? "none") sequence-fault=\(info.hasSequenceFault)"
  }

  /// Of the visible luma only: padding is not written.
  static func checksum(_ picture: UnsafeMutableRawBufferPointer, _ layout: I420Layout) -> UInt32 {
    var sum: UInt32 = 0
    for row in stride(from: 0, to: layout.height, by: 4) {
      for column in stride(from: 0, to: layout.width, by: 4) {
        sum = sum &* 31 &+ UInt32(picture[row * layout.lumaStride + column])
      }
    }
    return sum
  }

  /// Appends the picture as I420 without padding.
  static func write(_ picture: UnsafeMutableRawBufferPointer, _ layout: I420Layout, to file: CInt) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(layout.width * layout.height * 3 / 2)
    func rows(_ offset: Int, _ stride: Int, _ width: Int, _ count: Int) {
      for row in 0..<count { bytes += picture[(offset + row * stride)..<(offset + row * stride + width)] }
    }
    rows(0, layout.lumaStride, layout.width, layout.height)
    rows(layout.blueOffset, layout.chromaStride, layout.width / 2, layout.height / 2)
    rows(layout.redOffset, layout.chromaStride, layout.width / 2, layout.height / 2)
    _ = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
  }

  // MARK: - Microphone

  static func microphone(_ arguments: [String]) {
    let request = MicrophoneRequest(device: arguments[1], channels: number(arguments[2]))
    let dump = option("dump", arguments).map { open($0, O_WRONLY | O_CREAT | O_TRUNC, 0o644) }
    let end = MonotonicTime.now() + .seconds(Int64(number(arguments[3])))
    while MonotonicTime.now() < end {
      do {
        try listen(request, until: end, dump: dump)
      } catch {
        say("error kind=\(error.kind) code=\(error.code) \(error)")
        guard arguments.contains("reopen") else { exit(1) }
        usleep(200_000)
      }
    }
  }

  static func listen(
    _ request: MicrophoneRequest, until end: MonotonicTime, dump: CInt?
  ) throws(MicrophoneError) {
    var microphone = try ALSAMicrophone(request)
    let granted = microphone.granted
    say("granted \(granted)")
    let buffer = UnsafeMutableBufferPointer<Int16>.allocate(capacity: granted.bufferFrames * granted.channels)
    defer { buffer.deallocate() }
    var position: Int64 = 0
    var lost: Int64 = 0
    var first: MonotonicTime?
    while MonotonicTime.now() < end {
      guard let sound = try microphone.read(into: buffer, timeout: .seconds(1)) else {
        say("timeout")
        continue
      }
      position += sound.lostBefore
      lost += sound.lostBefore
      let start = first ?? sound.timeOfFirstSample
      first = start
      // How far the count of samples, lost ones included, is from the time that went by.
      let error = (sound.timeOfFirstSample - start).inMicroseconds - position * 1_000_000 / Int64(granted.rate)
      let samples = UnsafeMutableBufferPointer(rebasing: buffer[..<(sound.frames * granted.channels)])
      let peak = samples.reduce(0) { max($0, abs(Int($1))) }
      say(
        "sound frames=\(sound.frames) position=\(position) lost=\(sound.lostBefore)"
          + " time=\(sound.timeOfFirstSample.inMicroseconds)us error=\(error)us"
          + " age=\((MonotonicTime.now() - sound.timeOfFirstSample).inMicroseconds)us"
          + " estimated=\(sound.isTimeEstimated) peak=\(peak)")
      if let dump {
        let silence = [Int16](repeating: 0, count: Int(sound.lostBefore) * granted.channels)
        silence.withUnsafeBytes { _ = Glibc.write(dump, $0.baseAddress, $0.count) }
        _ = Glibc.write(dump, samples.baseAddress, samples.count * 2)
      }
      position += Int64(sound.frames)
    }
    say("end frames=\(position) lost=\(lost) overruns=\(microphone.overruns) suspends=\(microphone.suspends)")
  }

  // MARK: -

  static func number(_ text: String) -> Int {
    guard let value = Int(text) else {
      say("not a number: \(text)")
      exit(2)
    }
    return value
  }

  static func option(_ name: String, _ arguments: [String]) -> String? {
    arguments.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
  }
}

extension MonotonicTime {
  fileprivate var inMicroseconds: Int64 { nanoseconds / 1_000 }
}

/// Unbuffered: a job reads the lines while they come.
func say(_ line: String) { standardOutput.writeLine(line) }
