import CLinux
import Media
import Testing

@testable import Camera

@Suite("Formats")
struct FormatOfferTests {
  static let rates: SizeOffer.Rates = .list([FrameRate(perSecond: 30), FrameRate(perSecond: 15)])

  static func exact(_ width: Int, _ height: Int, _ rates: SizeOffer.Rates = rates) -> SizeOffer {
    SizeOffer(extent: .exact(FrameSize(width: width, height: height)), rates: rates)
  }

  /// A usual webcam: raw pixels as far as USB 2 carries them, JPEG beyond.
  static let webcam = [
    FormatOffer(pixelFormat: .mjpeg, sizes: [exact(640, 360), exact(1_280, 720), exact(1_920, 1_080)]),
    FormatOffer(
      pixelFormat: .yuyv,
      sizes: [exact(640, 360), exact(1_280, 720, .list([FrameRate(perSecond: 10)]))]),
  ]

  func request(_ width: Int, _ height: Int, _ fps: UInt32, _ format: PixelFormat? = nil) -> CameraRequest {
    CameraRequest(
      device: "/dev/video0", size: FrameSize(width: width, height: height), rate: FrameRate(perSecond: fps),
      pixelFormat: format)
  }

  @Test("raw pixels are taken where size and rate are offered in them, else JPEG")
  func choice() {
    #expect(Self.webcam.choice(for: request(640, 360, 30)) == .yuyv)
    #expect(Self.webcam.choice(for: request(1_280, 720, 10)) == .yuyv)
    #expect(Self.webcam.choice(for: request(1_280, 720, 30)) == .mjpeg)
    #expect(Self.webcam.choice(for: request(1_920, 1_080, 30)) == .mjpeg)
    #expect(Self.webcam.choice(for: request(640, 480, 30)) == nil)
    #expect(Self.webcam.choice(for: request(640, 360, 60)) == nil)
    #expect([FormatOffer]().choice(for: request(640, 360, 30)) == nil)
  }

  @Test("of several raw formats the cheapest to convert is taken")
  func cheapest() {
    func offers(_ formats: PixelFormat...) -> [FormatOffer] {
      formats.map { FormatOffer(pixelFormat: $0, sizes: [Self.exact(640, 360)]) }
    }
    let wanted = request(640, 360, 30)
    #expect(offers(.mjpeg, .yuyv, .nv12, .yu12).choice(for: wanted) == .yu12)
    #expect(offers(.mjpeg, .yuyv, .nv12).choice(for: wanted) == .nv12)
    #expect(offers(.mjpeg, .uyvy).choice(for: wanted) == .uyvy)
    #expect(offers(.jpeg, PixelFormat("RGB3")).choice(for: wanted) == .jpeg)
    #expect(offers(PixelFormat("RGB3"), PixelFormat("H264")).choice(for: wanted) == nil)
  }

  @Test("a named format is taken or refused, never replaced; its planes may lie apart")
  func named() {
    #expect(Self.webcam.choice(for: request(640, 360, 30, .mjpeg)) == .mjpeg)
    #expect(Self.webcam.choice(for: request(640, 360, 30, .nv12)) == nil)
    // H.264 cannot be converted: it is taken when it is named, and never else.
    let h264 = [FormatOffer(pixelFormat: .h264, sizes: [Self.exact(640, 360)])]
    #expect(h264.choice(for: request(640, 360, 30, .h264)) == .h264)
    #expect(h264.choice(for: request(1_280, 720, 30, .h264)) == nil)
    #expect(h264.choice(for: request(640, 360, 30)) == nil)
    #expect(
      [FormatOffer(pixelFormat: PixelFormat("RGB3"), sizes: [])].choice(for: request(2, 2, 1, PixelFormat("RGB3")))
        == nil)
    let apart = [FormatOffer(pixelFormat: .nv12Apart, sizes: [Self.exact(640, 360)])]
    #expect(apart.choice(for: request(640, 360, 30, .nv12)) == .nv12Apart)
    let both = [FormatOffer(pixelFormat: .nv12, sizes: [Self.exact(640, 360)])] + apart
    #expect(both.choice(for: request(640, 360, 30, .nv12Apart)) == .nv12Apart)
    #expect(both.choice(for: request(640, 360, 30, .nv12)) == .nv12)
    let jpeg = [FormatOffer(pixelFormat: .jpeg, sizes: [Self.exact(640, 360)])]
    #expect(jpeg.choice(for: request(640, 360, 30, .mjpeg)) == .jpeg)
  }

  @Test("ranges of sizes and rates, and formats without lists, count as offers; listed ones come first")
  func ranges() {
    let range = SizeOffer(
      extent: .range(
        smallest: FrameSize(width: 32, height: 32), largest: FrameSize(width: 1_920, height: 1_080),
        step: FrameSize(width: 8, height: 2)),
      rates: .range(slowest: FrameRate(perSecond: 1), fastest: FrameRate(perSecond: 60)))
    let offers = [FormatOffer(pixelFormat: .nv12, sizes: [range])]
    #expect(offers.choice(for: request(640, 360, 30)) == .nv12)
    #expect(offers.choice(for: request(640, 360, 60)) == .nv12)
    #expect(offers.choice(for: request(642, 360, 30)) == nil)
    #expect(offers.choice(for: request(640, 360, 90)) == nil)
    #expect(offers.choice(for: request(2_560, 1_440, 30)) == nil)
    let unlisted = [FormatOffer(pixelFormat: .yu12, sizes: [])]
    #expect(unlisted.choice(for: request(640, 360, 30)) == .yu12)
    #expect((unlisted + Self.webcam).choice(for: request(640, 360, 30)) == .yuyv)
  }

  @Test("29.97 is offered where 30 is asked; 25 is not")
  func nearRates() throws {
    let ntsc = try #require(FrameRate(frames: 30_000, seconds: 1_001))
    #expect(ntsc.isNear(FrameRate(perSecond: 30)))
    #expect(!FrameRate(perSecond: 25).isNear(FrameRate(perSecond: 30)))
    #expect(ntsc.description == "29.97")
    #expect(try #require(FrameRate(frames: 25, seconds: 2)).description == "12.5")
    #expect(try #require(FrameRate(frames: 60, seconds: 2)) == FrameRate(perSecond: 30))
    #expect(FrameRate(perSecond: 15).interval == Nanoseconds(66_666_666))
    #expect(FrameRate(frames: 0, seconds: 1) == nil)
    #expect(FrameRate(frames: 1, seconds: 0) == nil)
    #expect(try #require(FrameRate(frames: .max, seconds: 1)).interval.count == 0)
    #expect(try #require(FrameRate(frames: 1, seconds: .max)).interval > .seconds(1))
  }

  @Test("format codes are the kernel's")
  func codes() {
    let pairs: [(PixelFormat, UInt32)] = [
      (.yuyv, V4L2_PIX_FMT_YUYV), (.uyvy, V4L2_PIX_FMT_UYVY), (.nv12, V4L2_PIX_FMT_NV12),
      (.nv12Apart, V4L2_PIX_FMT_NV12M), (.yu12, V4L2_PIX_FMT_YUV420), (.yu12Apart, V4L2_PIX_FMT_YUV420M),
      (.mjpeg, V4L2_PIX_FMT_MJPEG), (.jpeg, V4L2_PIX_FMT_JPEG),
    ]
    for (format, code) in pairs { #expect(format.rawValue == code) }
    for code in [V4L2_PIX_FMT_SBGGR8, V4L2_PIX_FMT_SGBRG8, V4L2_PIX_FMT_SGRBG8, V4L2_PIX_FMT_SRGGB8] {
      #expect(PixelFormat(rawValue: code).isBayer)
    }
    #expect(!PixelFormat.yuyv.isBayer)
    #expect(PixelFormat.yuyv.description == "YUYV")
    #expect(PixelFormat(rawValue: V4L2_PIX_FMT_Y16 | 1 << 31).description == "Y16-BE")
    #expect(PixelFormat(rawValue: 0x0102_0304).description == "????")
  }

  @Test("what a camera offers fits in one line")
  func summary() {
    #expect(
      Self.webcam.summary
        == "MJPG 640x360 (30, 15 fps), 1280x720 (30, 15 fps), 1920x1080 (30, 15 fps); "
        + "YUYV 640x360 (30, 15 fps), 1280x720 (10 fps)")
    let many = FormatOffer(pixelFormat: .yuyv, sizes: (1...9).map { Self.exact($0 * 16, 16, .unknown) })
    #expect([many].summary.hasSuffix("96x16 and 3 more sizes"))
    #expect([FormatOffer]().summary == "nothing")
  }
}
