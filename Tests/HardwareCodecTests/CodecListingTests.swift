import Glibc
import LinuxIO
import Testing

@testable import HardwareCodec

@Suite struct CodecListingTests {
  private let two = [
    CodecListing(
      path: "/dev/video11", driver: "bcm2835-codec", card: "bcm2835-codec-encode", bus: "platform:bcm2835-codec",
      codedFormats: [.h264]),
    CodecListing(
      path: "/dev/video31", driver: "bcm2835-codec", card: "bcm2835-codec-encode_image", bus: "platform:bcm2835-codec",
      codedFormats: [.h264]),
  ]

  @Test("an encoder is found by its path, card, or as the first; a name of two, or of none, says what there is")
  func names() throws {
    func path(_ name: String) throws(CodecError) -> String {
      try CodecListing.path(of: name, making: .h264, among: two)
    }
    #expect(try path("") == "/dev/video11")
    #expect(try path("/dev/elsewhere") == "/dev/elsewhere")
    #expect(try path("bcm2835-codec-encode_image") == "/dev/video31")
    let twice = #expect(throws: CodecError.self) { _ = try path("bcm2835-codec") }
    #expect(twice?.kind == .notFound && "\(twice.map { "\($0)" } ?? "")".contains("/dev/video11 and /dev/video31"))
    let none = #expect(throws: CodecError.self) { _ = try path("coda") }
    #expect("\(none.map { "\($0)" } ?? "")".contains("/dev/video11 (bcm2835-codec-encode, platform:bcm2835-codec)"))
    let empty = #expect(throws: CodecError.self) { _ = try CodecListing.path(of: "", making: .h264, among: []) }
    #expect("\(empty.map { "\($0)" } ?? "")".contains("No device here encodes H264"))
  }

  @Test("a node that is no encoder is refused by name")
  func foreign() {
    let kinds = ["/dev/null", "/dev/no-such-node"].map { device in
      do throws(CodecError) {
        _ = try M2MDevice(path: device, name: device)
        return CodecError.Kind?.none
      } catch {
        return error.kind
      }
    }
    #expect(kinds == [.notAnEncoder, .notFound])
  }

  @Test("the table of quirks keeps values away from a driver that is in it, and from no other")
  func quirks() {
    #expect(DriverQuirks.of(driver: "bcm2835-codec").avoids(.bitrateMode, 1))
    #expect(!DriverQuirks.of(driver: "bcm2835-codec").avoids(.bitrateMode, 0))
    #expect(!DriverQuirks.of(driver: "coda").avoids(.bitrateMode, 1))
  }

  @Test("format codes read as four characters")
  func codes() {
    #expect(FourCC.raw.map(\.description) == ["YU12", "YM12", "NV12", "NM12"])
    #expect("\(FourCC.h264) \(FourCC.fwht)" == "H264 FWHT")
  }
}
