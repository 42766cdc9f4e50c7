import Media
import Testing

/// Ten seconds of real pictures and sound, encoded once by ffmpeg: 64x64 at 30 a second, noisy enough
/// that a fragment fills most of a chunk; Opus in packets of 20 ms.
struct StockMedia {
  static let frameTicks: Int64 = 3_000
  static let packetTicks: Int64 = 960

  let parameterSets: H264ParameterSets
  /// Pictures as the recorder stores them: NAL units with 4-byte lengths, without parameter sets.
  let pictures: [(bytes: [UInt8], isKeyframe: Bool)]
  let packets: [[UInt8]]
  let preSkip: Int

  static let shared = Result { try StockMedia() }

  private init() throws {
    let video = try succeed([
      "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=30:duration=10,noise=alls=80:allf=t",
      "-pix_fmt", "yuv420p",
      "-c:v", "libx264", "-bf", "0", "-g", "30", "-qp", "16", "-x264-params", "aud=1:scenecut=0", "-f", "h264", "-",
    ])
    var sequence: [UInt8] = []
    var picture: [UInt8] = []
    var pictures: [(bytes: [UInt8], isKeyframe: Bool)] = []
    for unit in Self.units(video) {
      let length = UInt32(unit.count)
      let sized = (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + unit
      switch unit[0] & 31 {
      case 9: pictures.append(([], false))
      case 7: sequence = unit
      case 8: picture = unit
      case 1, 5:
        let last = pictures.count - 1
        pictures[last].bytes += sized
        pictures[last].isKeyframe = unit[0] & 31 == 5
      default: break
      }
    }
    self.pictures = pictures
    parameterSets = H264ParameterSets(sequence: sequence, picture: picture)
    let sound = try succeed([
      "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=10", "-c:a",
      "libopus",
      "-b:a", "32k", "-f", "ogg", "-",
    ])
    let packets = Self.packets(sound)
    preSkip = Int(packets[0][10]) | Int(packets[0][11]) << 8
    self.packets = Array(packets.dropFirst(2))
    try #require(self.pictures.count == 300 && self.packets.count >= 500)
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

  var video: VideoTrack { VideoTrack(width: 64, height: 64, parameterSets: parameterSets) }

  /// Half a second of both from fragment `number` on: 15 pictures, 25 packets.
  func fragment(_ number: Int, shift: Int64 = 0) -> [UInt8] {
    let frames = (number * 15)..<(number * 15 + 15)
    let sounds = (number * 25)..<(number * 25 + 25)
    var header = FragmentHeader()
    header.write(
      sequence: UInt32(number + 1),
      video: frames.map {
        FragmentSample(
          ticks: Int64($0) * Self.frameTicks + shift * 90, duration: Self.frameTicks, length: pictures[$0].bytes.count,
          isKeyframe: pictures[$0].isKeyframe)
      },
      audio: sounds.map {
        FragmentSample(
          ticks: Int64($0) * Self.packetTicks + shift * 48, duration: Self.packetTicks, length: packets[$0].count,
          isKeyframe: true)
      })
    return header.bytes + frames.flatMap { pictures[$0].bytes } + sounds.flatMap { packets[$0] }
  }
}
