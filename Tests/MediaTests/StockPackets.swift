import Foundation
import Media
import Testing

/// Two seconds of pictures and sound, encoded by stock ffmpeg and taken apart into packets as the recorder stores them.
struct StockPackets {
  let parameterSets: H264ParameterSets
  /// NAL units with 4-byte lengths, without parameter sets; the first of each 30 is an IDR picture.
  let pictures: [[UInt8]]
  let packets: [[UInt8]]
  let preSkip: Int

  static let shared = Result { try StockPackets() }

  private init() throws {
    let stream = try quietly([
      "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=96x64:rate=30:duration=2", "-pix_fmt", "yuv420p",
      "-c:v", "libx264", "-bf", "0", "-g", "30", "-x264-params", "aud=1:scenecut=0:slices=1", "-f", "h264", "-",
    ])
    var sequence: [UInt8] = []
    var picture: [UInt8] = []
    var pictures: [[UInt8]] = []
    for unit in Self.units(stream) {
      switch unit[0] & 31 {
      case 9: pictures.append([])
      case 7: sequence = unit
      case 8: picture = unit
      case 1, 5:
        let length = UInt32(unit.count)
        pictures[pictures.count - 1] += (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + unit
      default: break
      }
    }
    parameterSets = H264ParameterSets(sequence: sequence, picture: picture)
    self.pictures = pictures
    let ogg = try quietly([
      "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2", "-c:a",
      "libopus", "-b:a", "32k", "-f", "ogg", "-",
    ])
    let all = Self.packets(ogg)
    preSkip = Int(all[0][10]) | Int(all[0][11]) << 8
    packets = Array(all.dropFirst(2))
    try #require(self.pictures.count == 60 && packets.count >= 100)
  }

  /// NAL units between start codes.
  private static func units(_ stream: [UInt8]) -> [[UInt8]] {
    var starts: [(code: Int, unit: Int)] = []
    for index in 0..<(stream.count - 3) where stream[index] == 0 && stream[index + 1] == 0 && stream[index + 2] == 1 {
      starts.append((index > 0 && stream[index - 1] == 0 ? index - 1 : index, index + 3))
    }
    return starts.indices.map { index in
      Array(stream[starts[index].unit..<(index + 1 < starts.count ? starts[index + 1].code : stream.count)])
    }
  }

  /// Packets of the pages of an Ogg file (RFC 3533, 6).
  private static func packets(_ file: [UInt8]) -> [[UInt8]] {
    var packets: [[UInt8]] = []
    var open: [UInt8] = []
    var page = 0
    while page + 27 <= file.count {
      let count = Int(file[page + 26])
      var data = page + 27 + count
      for length in file[(page + 27)..<(page + 27 + count)] {
        open += file[data..<(data + Int(length))]
        data += Int(length)
        if length < 255 {
          packets.append(open)
          open = []
        }
      }
      page = data
    }
    return packets
  }

  /// Half a second from fragment `number` on: 15 pictures, 25 packets.
  func fragment(_ number: Int, hasVideo: Bool = true, hasAudio: Bool = true) -> [UInt8] {
    let frames = hasVideo ? (number * 15)..<(number * 15 + 15) : 0..<0
    let sounds = hasAudio ? (number * 25)..<(number * 25 + 25) : 0..<0
    var header = FragmentHeader()
    header.write(
      sequence: UInt32(number + 1),
      video: frames.map {
        FragmentSample(ticks: Int64($0) * 3_000, duration: 3_000, length: pictures[$0].count, isKeyframe: $0 % 30 == 0)
      },
      audio: sounds.map {
        FragmentSample(ticks: Int64($0) * 960, duration: 960, length: packets[$0].count, isKeyframe: true)
      })
    return header.bytes + frames.flatMap { pictures[$0] } + sounds.flatMap { packets[$0] }
  }
}

/// Runs a program to its end and returns what it printed. `FILE` stands for a file that holds `input`. Failing, and
/// printing an error or a warning, fails the test.
@discardableResult
func quietly(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lapel-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  func file(_ name: String, _ bytes: [UInt8] = []) throws -> URL {
    let url = folder.appendingPathComponent(name)
    try Data(bytes).write(to: url)
    return url
  }
  let media = try file("input.mp4", input)
  let (output, message) = (try file("output"), try file("message"))
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = arguments.map { $0 == "FILE" ? media.path : $0 }
  process.standardInput = FileHandle.nullDevice
  process.standardOutput = try FileHandle(forWritingTo: output)
  process.standardError = try FileHandle(forWritingTo: message)
  try process.run()
  process.waitUntilExit()
  let complaint = String(decoding: try Data(contentsOf: message), as: UTF8.self)
  try #require(
    process.terminationStatus == 0 && complaint.isEmpty,
    "\(arguments.prefix(3).joined(separator: " ")): status \(process.terminationStatus): \(complaint)")
  return [UInt8](try Data(contentsOf: output))
}
