import Glibc
import Media
import Testing

@testable import Camera

@Suite("Camera errors")
struct CameraErrorTests {
  func open(_ device: String) -> CameraError? {
    do throws(CameraError) {
      let camera = try V4L2Camera(
        CameraRequest(
          device: device, size: FrameSize(width: 640, height: 360), rate: FrameRate(perSecond: 30)))
      Issue.record("opened \(camera.granted)")
      return nil
    } catch {
      return error
    }
  }

  @Test("a device that is not there is named, with the cameras that are")
  func missing() throws {
    let error = try #require(open("/dev/video-none"))
    #expect(error.kind == .notFound)
    #expect(error.errno == ENOENT)
    #expect(error.description.hasPrefix("there is no camera /dev/video-none"))
    #expect(error.hint == CameraListing.hint())
    let named = try #require(open("usb-nowhere"))
    #expect(named.kind == .notFound)
    #expect(named.device == "usb-nowhere")
  }

  @Test("a device that is no camera is refused as that")
  func notACamera() throws {
    let error = try #require(open("/dev/null"))
    #expect(error.kind == .notACamera)
    #expect(error.errno == ENOTTY)
    #expect(error.description.contains("/dev/null is not a camera"))
  }

  @Test("a device that may not be opened says whose it is")
  func permission() {
    let error = CameraError.opening(path: "/dev/null", name: "front", errno: EACCES, listing: false)
    #expect(error.kind == .permission)
    #expect(error.description.contains("the group root"))
    #expect(error.description.contains("add the user"))
  }

  @Test("kernel errors of an open camera tell whether to wait, to change the request, or to open it again")
  func kinds() {
    func kind(_ code: CInt) -> CameraError.Kind {
      CameraError(device: "/dev/video0", operation: "VIDIOC_DQBUF", errno: code).kind
    }
    #expect(kind(ENODEV) == .lost)
    #expect(kind(EIO) == .failed)
    #expect(kind(EBUSY) == .busy)
    #expect(kind(ENOSPC) == .unsupported)
    #expect(kind(EACCES) == .permission)
    #expect(kind(EINVAL) == .failed)
  }

  @Test("each kind reads as a sentence that names the device")
  func descriptions() {
    let all: [CameraError.Kind] = [
      .notFound, .notACamera, .permission, .busy, .unsupported, .lost, .stalled, .failed,
    ]
    for kind in all {
      let error = CameraError(kind, device: "/dev/video7", operation: "640x360 at 30 fps", hint: "Do this.")
      #expect(error.description.contains("/dev/video7"))
      #expect(error.description.hasSuffix(". Do this."))
    }
    #expect(
      CameraError(device: "/dev/video0", operation: "VIDIOC_STREAMON", errno: EBUSY).description
        == "the camera /dev/video0 is in use (VIDIOC_STREAMON: Device or resource busy, errno 16). "
        + "Another program uses the camera: find it with `fuser -v /dev/video0`.")
  }

  @Test("the list in an error says card and bus of each camera")
  func hint() {
    let camera = CameraListing(
      path: "/dev/video0", driver: "uvcvideo", card: "HD Webcam", bus: "usb-0000:00:14.0-2",
      stableName: "usb-Vendor_HD_Webcam-video-index0", formats: [])
    #expect(
      CameraListing.hint(for: [camera]) == "Cameras here: /dev/video0 (HD Webcam, usb-0000:00:14.0-2).")
    #expect(CameraListing.hint(for: []).contains("No camera was found"))
    for name in [
      "/dev/video0", "HD Webcam", "usb-0000:00:14.0-2", "usb-Vendor_HD_Webcam-video-index0",
      "/dev/v4l/by-id/usb-Vendor_HD_Webcam-video-index0",
    ] { #expect(camera.isNamed(name)) }
    #expect(!camera.isNamed("Webcam"))
  }
}
