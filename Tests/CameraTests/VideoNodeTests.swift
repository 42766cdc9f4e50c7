import CLinux
import Testing

@testable import Camera

@Suite("Video nodes")
struct VideoNodeTests {
  @Test("what a node can do makes it a camera, a codec, or something else that has a name")
  func uses() {
    func use(_ flags: Int...) -> NodeUse {
      NodeUse(capabilities: flags.reduce(0) { $0 | UInt32(truncatingIfNeeded: $1) })
    }
    let (capture, streaming) = (Int(V4L2_CAP_VIDEO_CAPTURE), Int(V4L2_CAP_STREAMING))
    #expect(use(capture, streaming) == .capture)
    #expect(use(Int(V4L2_CAP_VIDEO_CAPTURE_MPLANE), streaming) == .capture)
    #expect(use(capture) == .other("a camera that only read(2) works with"))
    #expect(use(Int(V4L2_CAP_META_CAPTURE), streaming) == .other("metadata, no picture"))
    #expect(use(Int(V4L2_CAP_VIDEO_M2M), streaming) == .codec(isMultiplanar: false))
    #expect(use(Int(V4L2_CAP_VIDEO_M2M_MPLANE), streaming) == .codec(isMultiplanar: true))
    #expect(
      use(Int(V4L2_CAP_VIDEO_CAPTURE_MPLANE), Int(V4L2_CAP_VIDEO_OUTPUT_MPLANE), streaming)
        == .codec(isMultiplanar: true))
    #expect(use(Int(V4L2_CAP_VIDEO_OUTPUT), streaming) == .other("an output"))
    #expect(use(Int(V4L2_CAP_RADIO)) == .other("no camera"))
  }

  @Test("a decoder makes no H.264, an encoder does")
  func encoders() {
    func codec(_ inputs: [PixelFormat], _ outputs: [PixelFormat]) -> EncoderListing {
      EncoderListing(path: "/dev/video11", driver: "d", card: "c", bus: "b", inputs: inputs, outputs: outputs)
    }
    let h264 = PixelFormat(rawValue: V4L2_PIX_FMT_H264)
    #expect(codec([.yu12], [h264]).makesH264)
    #expect(!codec([h264], [.yu12]).makesH264)
  }

  func camera(_ path: String, bus: String = "usb-1", id: String? = nil, place: String? = nil, index: Int? = 0)
    -> CameraListing
  {
    CameraListing(
      path: path, driver: "uvcvideo", card: "HD Webcam", bus: bus, stableName: id, placeName: place, index: index,
      formats: [])
  }

  @Test("a camera is named by what stays and means it alone, and that name finds it again")
  func names() {
    let alone = camera("/dev/video0", id: "usb-HD-index0", place: "pci-usb-0:2")
    #expect(alone.deviceName(among: [alone]) == "/dev/v4l/by-id/usb-HD-index0")
    // Two of one make without serial numbers: udev's one link belongs to whoever came last.
    let twin = camera("/dev/video2", bus: "usb-2", place: "pci-usb-0:3")
    #expect(alone.deviceName(among: [alone, twin]) == "/dev/v4l/by-path/pci-usb-0:2")
    #expect(twin.deviceName(among: [alone, twin]) == "/dev/v4l/by-path/pci-usb-0:3")
    // Without udev: the bus, and where one device has two cameras its node's index as well.
    let plain = camera("/dev/video0")
    #expect(plain.deviceName(among: [plain, camera("/dev/video1", bus: "usb-2")]) == "usb-1")
    let infrared = camera("/dev/video2", index: 2)
    #expect(plain.deviceName(among: [plain, infrared]) == "usb-1#0")
    #expect(infrared.deviceName(among: [plain, infrared]) == "usb-1#2")
    // Nothing of its own: the node as it is now.
    let nameless = [camera("/dev/video0", index: nil), camera("/dev/video1", index: nil)]
    #expect(nameless[1].deviceName(among: nameless) == "/dev/video1")
    for (one, all) in [(alone, [alone, twin]), (twin, [alone, twin]), (plain, [plain, infrared])] {
      #expect(all.filter { $0.isNamed(one.deviceName(among: all)) } == [one])
    }
  }
}
